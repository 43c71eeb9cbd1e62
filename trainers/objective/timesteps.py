"""How noisy a sample is made: timesteps by lot."""

import math
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

import torch
from torch import Tensor

from trainers.predictions import check_timesteps
from trainers.recipe import NoiseOptions

__all__ = ["Timesteps"]

_CELLS = 1000
"""A distribution that is known by its density is summed over so many parts of it."""
_Rule = Callable[[float, NoiseOptions], float]


@dataclass(frozen=True)
class Timesteps:
    """The timesteps that a recipe asks for, of a model that knows `count`.

    Whole numbers for noise schedules; for a flow any between, its time being t / count.
    """

    options: NoiseOptions
    count: int
    flow: bool = False

    def __post_init__(self) -> None:
        check_timesteps(self.options, self.count)

    def draw(self, chance: torch.Generator) -> Tensor:
        """A timestep of one sample, []; int64, or float32 of a flow."""
        first, end = self.options.smallest_timestep, self.options.largest_timestep or self.count
        if self._is_plain:
            return torch.randint(first, end, (), generator=chance)
        at = first + self._share(chance) * (end - first)
        return torch.tensor(at) if self.flow else torch.tensor(min(int(at), end - 1))

    @property
    def _is_plain(self) -> bool:
        return not self.flow and self.options.distribution == "uniform" and self.options.shift == 1.0

    def _share(self, chance: torch.Generator) -> float:
        """How far between the smallest and the largest timestep, 0 to 1.

        Shifted as time is in Esser et al. 2024, equation 23 (https://arxiv.org/abs/2403.03206).
        """
        drawn = float(torch.rand((), generator=chance, dtype=torch.float64))
        share, shift = self._quantile(drawn), self.options.shift
        return shift * share / (1 + (shift - 1) * share)

    def _quantile(self, drawn: float) -> float:
        if rule := _QUANTILES.get(self.options.distribution):
            return rule(drawn, self.options)
        return _inverted(self._sums, drawn)

    @cached_property
    def _sums(self) -> Sequence[float]:
        density = _DENSITIES[self.options.distribution]
        return list(accumulate(density((cell + 0.5) / _CELLS, self.options) for cell in range(_CELLS)))


def _uniform(drawn: float, options: NoiseOptions) -> float:
    return drawn


def _logit_normal(drawn: float, options: NoiseOptions) -> float:
    """Sigmoid of a normal of that mean and deviation (equation 19); with no bias it is sd-scripts' `sigmoid`."""
    normal = math.sqrt(2) * float(torch.special.erfinv(torch.tensor(2 * drawn - 1, dtype=torch.float64)))
    return float(torch.sigmoid(torch.tensor(options.bias + options.scale * normal, dtype=torch.float64)))


def _heavy_tail(drawn: float, options: NoiseOptions) -> float:
    """Equation 20, its "mode sampling with heavy tails"."""
    kept = 1 - drawn
    return kept + options.scale * (1 - math.cos(math.pi / 2 * drawn) ** 2 - drawn)


def _cosine(drawn: float, options: NoiseOptions) -> float:
    """Equation 21, its "CosMap": the noise levels of a cosine schedule."""
    return 1 - 1 / (math.tan(math.pi / 2 * drawn) + 1)


def _rising(share: float, options: NoiseOptions) -> float:
    """A sigmoid as density, around the middle and `bias`: more steps where there is much noise, as in OneTrainer."""
    return 1 / (1 + math.exp(-options.scale * (share - 0.5 - options.bias)))


def _parabola(share: float, options: NoiseOptions) -> float:
    """2 - scale (t - 1/2 - bias)^2 down to 0: more steps in the middle, as in OneTrainer."""
    return max(0.0, 2 - options.scale * (share - 0.5 - options.bias) ** 2)


def _inverted(sums: Sequence[float], drawn: float) -> float:
    """Where a distribution's sums over even cells reach a share of the whole; straight lines within a cell."""
    wanted = drawn * sums[-1]
    cell = min(bisect_right(sums, wanted), len(sums) - 1)
    before = sums[cell - 1] if cell else 0.0
    return (cell + (wanted - before) / (sums[cell] - before)) / len(sums)


_QUANTILES: Mapping[str, _Rule] = {
    "uniform": _uniform, "logit_normal": _logit_normal, "heavy_tail": _heavy_tail, "cosine": _cosine,
}  # fmt: skip
"""Distribution -> where a share drawn evenly from 0 to 1 falls."""
_DENSITIES: Mapping[str, _Rule] = {"sigmoid": _rising, "inverted_parabola": _parabola}
