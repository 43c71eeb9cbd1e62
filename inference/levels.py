"""The noise levels that a model knows, and what a request makes of their ends (no torch).

sigma is the standard deviation of the noise in x = x0 + sigma * noise (Karras et al. 2022,
https://arxiv.org/abs/2206.00364), whatever terms a model was trained in: so every sampler draws with every model.
"""

import math
from array import array
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from itertools import accumulate
from operator import mul

from modelhub.families import NoiseSchedule

__all__ = ["ALIGNED", "EvenLogs", "FlowTime", "Overrides", "SigmaTable", "ramp"]

_TIMESTEPS = 1000
"""Levels that a table has where training knew no steps."""
_TOP = 0.9999
"""Stands for a flow's time 1, at which nothing is left of x0 and sigma has no end."""
_FLOOR = 4.8973451890853435e-08
"""Stands for a last abar of 0, of which sigma would have no end; webui's and ComfyUI's number."""

_SD1_ALIGNED = (14.615, 6.475, 3.861, 2.697, 1.886, 1.396, 0.963, 0.652, 0.399, 0.152, 0.029)
_SDXL_ALIGNED = (14.615, 6.315, 3.771, 2.181, 1.342, 0.862, 0.555, 0.380, 0.234, 0.113, 0.029)
ALIGNED: Mapping[str, tuple[float, ...]] = {"sdxl": _SDXL_ALIGNED, "sdxl-refiner": _SDXL_ALIGNED}
"""Family -> the levels published for it (Sabour et al. 2024); the others take those of Stable Diffusion 1."""


@dataclass(frozen=True, slots=True)
class EvenLogs:
    """Levels even in ln sigma: models of Karras' preconditioning (EDM), trained at no steps."""

    smallest: float
    largest: float


@dataclass(frozen=True, slots=True)
class FlowTime:
    """x_t = (1 - t) x0 + t * noise: over 1 - t it is x0 + sigma * noise, with sigma = t / (1 - t)."""

    shift: float = 3.0
    """Schedules are made of times u with sigma = shift * u / (1 - u): above 1, more steps where there is much noise
    (Esser et al. 2024, https://arxiv.org/abs/2403.03206)."""


@dataclass(frozen=True, slots=True)
class Overrides:
    """What a request says of its noise levels; None is the model's or the schedule's own."""

    smallest: float | None = None
    largest: float | None = None
    rho: float | None = None
    """How the schedules bend that bend by a power."""
    discard: bool = False
    """Whether the last level but one is left out, whatever the sampler's habit."""


@dataclass(frozen=True)
class SigmaTable:
    """The sigmas of a model's training timesteps, and the way between the two."""

    noise: NoiseSchedule | EvenLogs | FlowTime
    zero_snr: bool = False
    """Whether betas were scaled so that nothing is left of the picture at the last timestep."""
    aligned: tuple[float, ...] = _SD1_ALIGNED
    """The levels published for models of its kind."""
    overrides: Overrides = field(default_factory=Overrides)

    def overridden(self, overrides: Overrides, shift: float | None = None) -> "SigmaTable":
        """As a request wants it; `shift` is a flow's."""
        noise = FlowTime(shift) if shift and self.flows else self.noise
        return replace(self, noise=noise, overrides=overrides)

    @property
    def flows(self) -> bool:
        return isinstance(self.noise, FlowTime)

    @cached_property
    def sigmas(self) -> tuple[float, ...]:
        """Of each timestep, ascending; float32 values where training knew steps, as everybody computes them."""
        return _sigmas(self.noise, self.zero_snr)

    @cached_property
    def logs(self) -> tuple[float, ...]:
        return tuple(math.log(sigma) for sigma in self.sigmas)

    @property
    def smallest(self) -> float:
        """Where schedules end, unless they take the table's timesteps."""
        return self.overrides.smallest or self.sigmas[0]

    @property
    def largest(self) -> float:
        return self.overrides.largest or self.sigmas[-1]

    def spread(self, rule: Callable[[float, float], list[float]]) -> list[float]:
        """The levels that a rule gives between the table's largest and smallest; for a flow, in its time."""
        if not isinstance(self.noise, FlowTime):
            return rule(self.largest, self.smallest)
        shift = self.noise.shift
        times = rule(self.largest / (shift + self.largest), self.smallest / (shift + self.smallest))
        return [shift * time / (1 - time) for time in times]

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


def ramp(start: float, end: float, count: int) -> list[float]:
    """`count` numbers at even distances, both ends among them; a single one is the start."""
    return [start + (end - start) * (index / max(1, count - 1)) for index in range(count)]


@lru_cache(maxsize=16)
def _sigmas(noise: NoiseSchedule | EvenLogs | FlowTime, zero_snr: bool) -> tuple[float, ...]:
    if isinstance(noise, EvenLogs):
        return tuple(math.exp(log) for log in ramp(math.log(noise.smallest), math.log(noise.largest), _TIMESTEPS))
    if isinstance(noise, FlowTime):
        times = [*(at / _TIMESTEPS for at in range(1, _TIMESTEPS)), _TOP]
        return tuple(noise.shift * time / (1 - time) for time in times)
    roots = ramp(noise.beta_start**0.5, noise.beta_end**0.5, noise.timesteps)
    kept: Sequence[float] = array("f", accumulate((1.0 - root**2 for root in roots), mul))
    kept = _down_to_nothing(kept) if zero_snr else kept
    lost = array("f", (1.0 - one for one in kept))
    ratios = array("f", (missing / left for missing, left in zip(lost, kept, strict=True)))
    return tuple(array("f", map(math.sqrt, ratios)))


def _down_to_nothing(kept: Sequence[float]) -> Sequence[float]:
    """sqrt(abar) moved and stretched so that the last is 0 and the first stays (Lin et al. 2023, algorithm 1)."""
    roots = [math.sqrt(one) for one in kept]
    first, last = roots[0], roots[-1]
    scaled = [((root - last) * first / (first - last)) ** 2 for root in roots[:-1]]
    return array("f", [*scaled, _FLOOR])
