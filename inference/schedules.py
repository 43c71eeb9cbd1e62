"""Noise levels to sample at: sigma schedules under stable-diffusion-webui's names (no torch)."""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

from inference.levels import Overrides, SigmaTable, ramp
from modelhub.errors import BadValue

__all__ = ["AUTOMATIC", "SCHEDULES", "SCHEDULE_ALIASES", "Overrides", "SigmaTable", "karras_between", "ramp", "sigmas"]
__all__ += ["uniform"]

AUTOMATIC = "Automatic"
"""The schedule that a sampler is best known with."""

_KARRAS_RHO = 7.0
_BETA = 0.6


def uniform(table: SigmaTable, steps: int) -> list[float]:
    """Timesteps evenly spaced from the last to the first."""
    return [table.sigma(timestep) for timestep in ramp(len(table.sigmas) - 1, 0, steps)]


def karras(table: SigmaTable, steps: int) -> list[float]:
    """Evenly spaced in sigma^(1/7): more steps where little noise is left (Karras et al. 2022, eq. 5)."""
    rho = table.overrides.rho or _KARRAS_RHO
    return table.spread(lambda first, last: karras_between(first, last, steps, rho))


def karras_between(first: float, last: float, count: int, rho: float = _KARRAS_RHO) -> list[float]:
    """`count` levels, both ends among them."""
    return [root**rho for root in ramp(first ** (1 / rho), last ** (1 / rho), count)]


def exponential(table: SigmaTable, steps: int) -> list[float]:
    """Evenly spaced in ln sigma."""
    return table.spread(lambda first, last: _even_logs(first, last, ramp(1.0, 0.0, steps)))


def polyexponential(table: SigmaTable, steps: int) -> list[float]:
    """ln sigma falls with the power rho of the steps that are left; at webui's rho of 1 it is "Exponential"."""
    shares = [share ** (table.overrides.rho or 1.0) for share in ramp(1.0, 0.0, steps)]
    return table.spread(lambda first, last: _even_logs(first, last, shares))


def normal(table: SigmaTable, steps: int) -> list[float]:
    """Timesteps evenly spaced between those of the ends."""
    ends = table.timestep(table.largest), table.timestep(table.smallest)
    return [table.sigma(timestep) for timestep in ramp(*ends, steps)]


def sgm_uniform(table: SigmaTable, steps: int) -> list[float]:
    """Timesteps evenly spaced from the last, as if one more step led to the first."""
    return normal(table, steps + 1)[:-1]


def kl_optimal(table: SigmaTable, steps: int) -> list[float]:
    """Evenly spaced in atan sigma, one level more than steps (Sabour et al. 2024, https://arxiv.org/abs/2404.14507)."""
    return table.spread(
        lambda first, last: [math.tan(angle) for angle in ramp(math.atan(first), math.atan(last), steps + 1)]
    )


def align_your_steps(table: SigmaTable, steps: int) -> list[float]:
    """The levels published for the model's family, linear in ln sigma between them (same paper)."""
    logs, last = [math.log(level) for level in table.aligned], len(table.aligned) - 1
    return [math.exp(_between(logs, place)) for place in ramp(0, last, steps)]


def simple(table: SigmaTable, steps: int) -> list[float]:
    """Whole timesteps at even distances, from the last."""
    return [table.sigmas[-1 - int(step * len(table.sigmas) / steps)] for step in range(steps)]


def ddim(table: SigmaTable, steps: int) -> list[float]:
    """Whole timesteps 1, 1 + s, 1 + 2s, ... with s = timesteps // steps, which may make a step more or less."""
    return list(reversed(table.sigmas[1 :: max(len(table.sigmas) // steps, 1)]))


def beta(table: SigmaTable, steps: int) -> list[float]:
    """Sigmas at even quantiles of the beta distribution B(0.6, 0.6) (Lee et al. 2024, arXiv 2407.12173)."""
    shares = [_beta_quantile(share) for share in ramp(1.0, 0.0, steps)]
    return table.spread(lambda first, last: [last + share * (first - last) for share in shares])


SCHEDULES: Mapping[str, Callable[[SigmaTable, int], list[float]]] = {
    "Uniform": uniform,
    "Karras": karras,
    "Exponential": exponential,
    "Polyexponential": polyexponential,
    "SGM Uniform": sgm_uniform,
    "KL Optimal": kl_optimal,
    "Align Your Steps": align_your_steps,
    "Simple": simple,
    "Normal": normal,
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
    """`steps` noise levels, descending, and a closing 0; "KL Optimal" closes with the smallest level instead.

    What a request says of the ends is heard where webui hears it: not by "Uniform", "Simple", "DDIM" and "Align Your
    Steps", which have levels of their own.
    """
    if name not in SCHEDULES:
        raise BadValue(f"{name!r} is no schedule ({', '.join(SCHEDULES)})")
    closing = [] if name == "KL Optimal" else [0.0]
    return [*dict.fromkeys(SCHEDULES[name](table, steps)), *closing]


def _even_logs(first: float, last: float, shares: Sequence[float]) -> list[float]:
    """Levels at these shares of the way from the last to the first, in ln sigma."""
    low, high = math.log(last), math.log(first)
    return [math.exp(low + (high - low) * share) for share in shares]


def _between(levels: Sequence[float], place: float) -> float:
    low = min(int(place), len(levels) - 2)
    return levels[low] + (place - low) * (levels[low + 1] - levels[low])


@lru_cache(maxsize=4096)
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
