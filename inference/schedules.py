"""Noise levels to sample at: sigma schedules under stable-diffusion-webui's names.

sigma is the standard deviation of the noise in x = x0 + sigma * noise (Karras et al. 2022,
https://arxiv.org/abs/2206.00364); a model trained on discrete timesteps knows a table of them.
"""

import math
from array import array
from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from operator import mul

from modelhub.errors import BadValue
from modelhub.families import NoiseSchedule

__all__ = ["AUTOMATIC", "SCHEDULES", "SigmaTable", "karras", "sigmas", "uniform"]

AUTOMATIC = "Automatic"
"""The schedule that a sampler is best known with."""

_KARRAS_RHO = 7.0


@dataclass(frozen=True)
class SigmaTable:
    """The sigmas of a model's training timesteps, and the way between the two."""

    noise: NoiseSchedule

    @cached_property
    def sigmas(self) -> tuple[float, ...]:
        """sqrt((1 - abar) / abar) for each timestep, ascending; float32 values, as everybody computes them."""
        noise = self.noise
        roots = _ramp(noise.beta_start**0.5, noise.beta_end**0.5, noise.timesteps)
        kept = array("f", accumulate((1.0 - root**2 for root in roots), mul))
        lost = array("f", (1.0 - one for one in kept))
        ratios = array("f", (missing / left for missing, left in zip(lost, kept, strict=True)))
        return tuple(array("f", map(math.sqrt, ratios)))

    @cached_property
    def logs(self) -> tuple[float, ...]:
        return tuple(math.log(sigma) for sigma in self.sigmas)

    @property
    def smallest(self) -> float:
        return self.sigmas[0]

    @property
    def largest(self) -> float:
        return self.sigmas[-1]

    def sigma(self, timestep: float) -> float:
        """Sigma at a timestep, which may be fractional: linear in log sigma."""
        low = min(int(timestep), len(self.logs) - 2)
        share = timestep - low
        return math.exp((1 - share) * self.logs[low] + share * self.logs[low + 1])

    def timestep(self, sigma: float) -> float:
        """The fractional timestep of a sigma; those outside the table get its ends."""
        log = math.log(sigma)
        low = min(max(bisect_right(self.logs, log) - 1, 0), len(self.logs) - 2)
        share = (self.logs[low] - log) / (self.logs[low] - self.logs[low + 1])
        return low + min(max(share, 0.0), 1.0)


def uniform(table: SigmaTable, steps: int) -> list[float]:
    """Timesteps evenly spaced from the last to the first."""
    last = len(table.sigmas) - 1
    return [table.sigma(timestep) for timestep in _ramp(last, 0, steps)]


def karras(table: SigmaTable, steps: int) -> list[float]:
    """Evenly spaced in sigma^(1/7): more steps where little noise is left (Karras et al. 2022, eq. 5)."""
    first, last = table.largest ** (1 / _KARRAS_RHO), table.smallest ** (1 / _KARRAS_RHO)
    return [root**_KARRAS_RHO for root in _ramp(first, last, steps)]


SCHEDULES: Mapping[str, Callable[[SigmaTable, int], list[float]]] = {"Uniform": uniform, "Karras": karras}
"""Name -> rule for a number of steps; the closing zero is added by `sigmas`."""


def sigmas(name: str, table: SigmaTable, steps: int) -> list[float]:
    """`steps` noise levels, descending, and a closing 0."""
    if name not in SCHEDULES:
        raise BadValue(f"{name!r} is no schedule ({', '.join(SCHEDULES)})")
    return [*SCHEDULES[name](table, steps), 0.0]


def _ramp(start: float, end: float, count: int) -> list[float]:
    return [start + (end - start) * (index / max(1, count - 1)) for index in range(count)]
