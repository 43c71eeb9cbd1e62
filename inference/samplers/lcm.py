"""LCM: the guess, and fresh noise up to the next level (Luo et al. 2023, https://arxiv.org/abs/2310.04378)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from inference.samplers._sampler import Denoise, Draw, Options, Sampler, Step
from inference.schedules import AUTOMATIC, SigmaTable, ramp

if TYPE_CHECKING:
    from torch import Tensor

_TIMESTEPS = 50
"""That such models were distilled on."""
_DATA_SPREAD, _TIME_SCALE = 0.5, 10.0
"""Of the boundary condition: at timestep 0 the guess is x itself."""


def sample(denoise: Denoise, x: Tensor, sigmas: Sequence[float], draw: Draw, options: Options) -> Iterator[Step]:
    """x = D + sigma' * noise."""
    for index, (sigma, following) in enumerate(pairwise(sigmas)):
        denoised = denoise(x, sigma)
        x = denoised + draw() * following if following > 0 else denoised
        yield Step(index, x, denoised)


def grid(table: SigmaTable, steps: int) -> list[float]:
    """Even in time over the 50 timesteps, linear in ln sigma between them."""
    logs = [math.log(table.sigmas[timestep]) for timestep in _distilled(table)]
    found = []
    for place in ramp(len(logs) - 1, 0, steps):
        low = min(int(place), len(logs) - 2)
        found.append(math.exp(logs[low] + (place - low) * (logs[low + 1] - logs[low])))
    return [*found, 0.0]


@dataclass(frozen=True, slots=True)
class _AtDistilledTimesteps:
    """Asks the model at the nearest of the timesteps that it was distilled on, as webui does."""

    denoise: Denoise
    table: SigmaTable

    def __call__(self, x: Tensor, sigma: float) -> Tensor:
        asked, there = self._asked(x, sigma)
        return self._guess(x, sigma, asked, self.denoise(asked, there))

    def apart(self, x: Tensor, sigma: float) -> tuple[Tensor, Tensor]:
        asked, there = self._asked(x, sigma)
        guided, unguided = self.denoise.apart(asked, there)
        return self._guess(x, sigma, asked, guided), self._guess(x, sigma, asked, unguided)

    def _asked(self, x: Tensor, sigma: float) -> tuple[Tensor, float]:
        """x scaled so that the network sees what it would see at `sigma`, and the sigma of the nearest timestep."""
        there = self.table.sigmas[self._timestep(sigma)]
        return x * (math.hypot(there, 1.0) / math.hypot(sigma, 1.0)), there

    def _guess(self, x: Tensor, sigma: float, asked: Tensor, denoised: Tensor) -> Tensor:
        """c_out D + c_skip x, with the noise that the network saw taken at `sigma`."""
        timestep = self._timestep(sigma)
        noise = (asked - denoised) / self.table.sigmas[timestep]
        time = timestep * _TIME_SCALE
        spread = math.hypot(time, _DATA_SPREAD)
        return (x - noise * sigma) * (time / spread) + x * (_DATA_SPREAD / spread) ** 2

    def _timestep(self, sigma: float) -> int:
        log = math.log(sigma)
        return min(_distilled(self.table), key=lambda timestep: abs(self.table.logs[timestep] - log))


def _distilled(table: SigmaTable) -> range:
    skip = len(table.sigmas) // _TIMESTEPS
    return range(skip - 1, len(table.sigmas), skip)


SAMPLER = Sampler("LCM", ("k_lcm",), AUTOMATIC, sample, grid=grid, through=_AtDistilledTimesteps)
