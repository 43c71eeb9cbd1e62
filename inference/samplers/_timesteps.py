"""What webui's timestep samplers share: their grid, and the variance-preserving terms that they begin and end in."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from inference.schedules import SigmaTable

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["every_nth", "left_as_is", "over_latents"]


def every_nth(table: SigmaTable, steps: int) -> list[float]:
    """Sigmas of the timesteps 1, 1 + s, 1 + 2s, ... with s = timesteps // steps, from the last.

    Each but the first is sampled at, so 20 steps make 19, as in webui. One step is from the table's end to timestep 1.
    """
    last = len(table.sigmas) - 1
    stride = len(table.sigmas) // steps
    found = sorted(
        {min(timestep + 1, last) for timestep in range(0, len(table.sigmas), stride)} if steps > 1 else {1, last}
    )
    return [table.sigmas[timestep] for timestep in reversed(found)]


def over_latents(table: SigmaTable, steps: int, reached: int) -> tuple[float, list[float]]:
    """The noise is that of one timestep, the first that is sampled at is the one below it, as in webui."""
    rungs = list(reversed(every_nth(table, steps)))
    return rungs[reached], list(reversed(rungs[:reached]))


def left_as_is(x: Tensor, sigma: float) -> Tensor:
    """A result at a noise level above 0, in variance-preserving terms: what is decoded still holds that noise."""
    return x / math.hypot(sigma, 1.0)
