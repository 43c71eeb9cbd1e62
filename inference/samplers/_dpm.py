"""DPM-Solver's steps of order 1, 2 and 3 in t = -ln sigma (Lu et al. 2022, https://arxiv.org/abs/2206.00927)."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from inference.samplers._sampler import Denoise, ancestral_split
from inference.schedules import SigmaTable, ramp, uniform

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Solver", "down_to_smallest", "over_latents", "stretch"]


@dataclass(slots=True)
class Solver:
    """The steps from one place; what was predicted there, or on the way, is not asked for again."""

    denoise: Denoise
    x: Tensor
    t: float
    _known: dict[float, Tensor] = field(default_factory=dict)

    def guess(self) -> Tensor:
        """Of x0, here."""
        return self.x - self._noise() * math.exp(-self.t)

    def step(self, order: int, to: float, r1: float | None = None) -> Tensor:
        """x at `to`; r1 is how far along the way an order of 2 looks."""
        if order == 1:
            return self._first(to)
        return self._second(to, r1 or 1 / 2) if order == 2 else self._third(to)

    def _first(self, to: float) -> Tensor:
        return self.x - self._noise() * (math.exp(-to) * math.expm1(to - self.t))

    def _second(self, to: float, r1: float) -> Tensor:
        bend = self._at(r1, to) - self._noise()
        return self._first(to) - bend * (math.exp(-to) / (2 * r1) * math.expm1(to - self.t))

    def _third(self, to: float) -> Tensor:
        bend = self._at(2 / 3, to) - self._noise()
        return self._first(to) - bend * (math.exp(-to) * 3 / 2 * _phi2(to - self.t))

    def _at(self, share: float, to: float) -> Tensor:
        """The noise predicted at a share of the way: a third or a half by the first order, two thirds by the second."""
        s = self.t + share * (to - self.t)
        if s not in self._known:
            there = self._first(s)
            if share == 2 / 3:
                bend = self._at(1 / 3, to) - self._noise()
                there = there - bend * (math.exp(-s) * 2 * _phi2(s - self.t))
            self._known[s] = (there - self.denoise(there, math.exp(-s))) / math.exp(-s)
        return self._known[s]

    def _noise(self) -> Tensor:
        if self.t not in self._known:
            sigma = math.exp(-self.t)
            self._known[self.t] = (self.x - self.denoise(self.x, sigma)) / sigma
        return self._known[self.t]


def stretch(t: float, following: float, end: float, eta: float) -> tuple[float, float]:
    """(where to denoise to, sigma of the noise that leads back to `following`); never beyond `end`."""
    if not eta:
        return following, 0.0
    sigma_following = math.exp(-following)
    down, _ = ancestral_split(math.exp(-t), sigma_following, eta)
    to = min(end, -math.log(down)) if down > 0 else end
    return to, max(sigma_following**2 - math.exp(-to) ** 2, 0.0) ** 0.5


def _phi2(h: float) -> float:
    return math.expm1(h) / h - 1


def down_to_smallest(table: SigmaTable, steps: int) -> list[float]:
    """Levels even in ln sigma from the table's largest to its smallest, with no closing 0."""
    return _even(table.logs[-1], table.logs[0], steps)


def over_latents(table: SigmaTable, steps: int, reached: int) -> tuple[float, list[float]]:
    """Even in ln sigma down to the smallest level, from where the uniform schedule has as many steps left."""
    first = uniform(table, steps)[max(steps - reached - 1, 0)]
    return first, _even(math.log(first), table.logs[0], reached + 1) if reached else [first]


def _even(first: float, last: float, steps: int) -> list[float]:
    return [math.exp(log) for log in ramp(first, last, steps + 1)]
