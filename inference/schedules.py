"""Noise levels to sample at: sigma schedules under stable-diffusion-webui's names.

sigma is the standard deviation of the noise in x = x0 + sigma * noise (Karras et al. 2022,
https://arxiv.org/abs/2206.00364); a model trained on discrete timesteps knows a table of them.
"""

import math
from array import array
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from operator import mul

from modelhub.errors import BadValue
from modelhub.families import NoiseSchedule

__all__ = ["AUTOMATIC", "SCHEDULES", "SCHEDULE_ALIASES", "SigmaTable", "karras_between", "ramp", "sigmas"]

AUTOMATIC = "Automatic"
"""The schedule that a sampler is best known with."""

_KARRAS_RHO = 7.0
_BETA = 0.6
_ALIGNED = (14.615, 6.475, 3.861, 2.697, 1.886, 1.396, 0.963, 0.652, 0.399, 0.152, 0.029)


@dataclass(frozen=True)
class SigmaTable:
    """The sigmas of a model's training timesteps, and the way between the two."""

    noise: NoiseSchedule

    @cached_property
    def sigmas(self) -> tuple[float, ...]:
        """sqrt((1 - abar) / abar) for each timestep, ascending; float32 values, as everybody computes them."""
        noise = self.noise
        roots = ramp(noise.beta_start**0.5, noise.beta_end**0.5, noise.timesteps)
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
    return [table.sigma(timestep) for timestep in ramp(len(table.sigmas) - 1, 0, steps)]


def karras(table: SigmaTable, steps: int) -> list[float]:
    """Evenly spaced in sigma^(1/7): more steps where little noise is left (Karras et al. 2022, eq. 5)."""
    return karras_between(table.largest, table.smallest, steps)


def karras_between(first: float, last: float, count: int) -> list[float]:
    """`count` levels, both ends among them."""
    return [root**_KARRAS_RHO for root in ramp(first ** (1 / _KARRAS_RHO), last ** (1 / _KARRAS_RHO), count)]


def exponential(table: SigmaTable, steps: int) -> list[float]:
    """Evenly spaced in ln sigma."""
    return [math.exp(log) for log in ramp(math.log(table.largest), math.log(table.smallest), steps)]


def sgm_uniform(table: SigmaTable, steps: int) -> list[float]:
    """Timesteps evenly spaced from the last, as if one more step led to the first."""
    return uniform(table, steps + 1)[:-1]


def kl_optimal(table: SigmaTable, steps: int) -> list[float]:
    """Evenly spaced in atan sigma, one level more than steps (Sabour et al. 2024, https://arxiv.org/abs/2404.14507)."""
    return [math.tan(angle) for angle in ramp(math.atan(table.largest), math.atan(table.smallest), steps + 1)]


def align_your_steps(table: SigmaTable, steps: int) -> list[float]:
    """The published levels for Stable Diffusion 1, linear in ln sigma between them (same paper)."""
    logs, last = [math.log(level) for level in _ALIGNED], len(_ALIGNED) - 1
    return [math.exp(_between(logs, place)) for place in ramp(0, last, steps)]


def simple(table: SigmaTable, steps: int) -> list[float]:
    """Whole timesteps at even distances, from the last."""
    return [table.sigmas[-1 - int(step * len(table.sigmas) / steps)] for step in range(steps)]


def ddim(table: SigmaTable, steps: int) -> list[float]:
    """Whole timesteps 1, 1 + s, 1 + 2s, ... with s = timesteps // steps, which may make a step more or less."""
    return list(reversed(table.sigmas[1 :: max(len(table.sigmas) // steps, 1)]))


def beta(table: SigmaTable, steps: int) -> list[float]:
    """Sigmas at even quantiles of the beta distribution B(0.6, 0.6) (Lee et al. 2024, arXiv 2407.12173)."""
    width = table.largest - table.smallest
    return [table.smallest + _beta_quantile(share) * width for share in ramp(1.0, 0.0, steps)]


SCHEDULES: Mapping[str, Callable[[SigmaTable, int], list[float]]] = {
    "Uniform": uniform,
    "Karras": karras,
    "Exponential": exponential,
    "Polyexponential": exponential,  # at webui's rho of 1 the two are one
    "SGM Uniform": sgm_uniform,
    "KL Optimal": kl_optimal,
    "Align Your Steps": align_your_steps,
    "Simple": simple,
    "Normal": uniform,
    "DDIM": ddim,
    "Beta": beta,
}
"""webui's name -> rule for a number of steps; the closing zero is added by `sigmas`."""

SCHEDULE_ALIASES: Mapping[str, str] = {
    **{name.lower().replace(" ", "_"): name for name in (AUTOMATIC, *SCHEDULES)},
    "SGMUniform": "SGM Uniform",
}
"""What programs call them -> name."""


def sigmas(name: str, table: SigmaTable, steps: int) -> list[float]:
    """`steps` noise levels, descending, and a closing 0; "KL Optimal" closes with the smallest level instead."""
    if name not in SCHEDULES:
        raise BadValue(f"{name!r} is no schedule ({', '.join(SCHEDULES)})")
    closing = [] if name == "KL Optimal" else [0.0]
    return [*SCHEDULES[name](table, steps), *closing]


def ramp(start: float, end: float, count: int) -> list[float]:
    """`count` numbers at even distances, both ends among them; a single one is the start."""
    return [start + (end - start) * (index / max(1, count - 1)) for index in range(count)]


def _between(levels: Sequence[float], place: float) -> float:
    low = min(int(place), len(levels) - 2)
    return levels[low] + (place - low) * (levels[low + 1] - levels[low])


def _beta_quantile(share: float) -> float:
    """x below which the share lies; B(a, a) is the same from both ends, so the half below 1/2 is enough."""
    if share > 0.5:
        return 1.0 - _beta_quantile(1.0 - share)
    low, high = 0.0, 0.5
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _beta_share(middle) < share else (low, middle)
    return high if share > 0 else 0.0


def _beta_share(x: float) -> float:
    """The regularized incomplete beta function I_x(a, a) as a power series, for x <= 1/2."""
    total, factor = 0.0, 1.0
    for n in range(60):
        total += factor / (_BETA + n)
        factor *= x * (n + 1 - _BETA) / (n + 1)
    return math.pow(x, _BETA) * total * math.gamma(2 * _BETA) / math.gamma(_BETA) ** 2
