"""UniPC: predictor and corrector of third order in x0, variant bh1 (Zhao et al. 2023, https://arxiv.org/abs/2302.04867)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from inference.samplers._sampler import Denoise, Draw, Options, Sampler, Step
from inference.samplers._timesteps import left_as_is, over_latents
from inference.schedules import AUTOMATIC, SigmaTable, ramp

if TYPE_CHECKING:
    from torch import Tensor


_ORDER = 3


def grid(table: SigmaTable, steps: int) -> list[float]:
    """Even in time down to timestep 0, between timesteps linear in ln alpha as the paper's code has it.

    webui makes as many steps as range(0, timesteps, timesteps // steps) has members: 23 for 22.
    """
    count = len(range(0, len(table.sigmas), len(table.sigmas) // steps))
    return _even(table, len(table.sigmas) - 1, count)


def over(table: SigmaTable, steps: int, reached: int) -> tuple[float, list[float]]:
    """The other timestep samplers' noise and their first timestep, and from there even in time; as in webui."""
    laid, rungs = over_latents(table, steps, reached)
    return laid, _even(table, table.sigmas.index(rungs[0]), reached) if rungs else []


def sample(denoise: Denoise, x: Tensor, sigmas: Sequence[float], draw: Draw, options: Options) -> Iterator[Step]:
    """Algorithm 5 and 6 divided by alpha: a step in x0 from the past guesses, then again with the one at its end.

    The order falls to 1 at the end, where no guess corrects the last step. The guess at a step's end is taken
    before the correction and serves the next step too, so a step calls the model once.
    """
    count = len(sigmas) - 1
    past = [(denoise(x, sigmas[0]), sigmas[0])]
    for index, (sigma, following) in enumerate(pairwise(sigmas), start=1):
        warming = index < _ORDER
        order = index if warming else min(_ORDER, count + 1 - index)
        denoised = past[0][0]
        h = math.log(sigma / following)
        base = x * (following / sigma) - denoised * math.expm1(-h)
        bends, ratios = [], []
        for older, its_sigma in past[1:order]:
            ratios.append(math.log(sigma / its_sigma) / h)
            bends.append((older - denoised) / ratios[-1])
        x = _bent(base, bends, h, weights(ratios, h))
        if index < count or warming:
            guess = denoise(x, following)
            x = _bent(base, [*bends, guess - denoised], h, weights([*ratios, 1.0], h))
            past = [(guess, following), *past[: _ORDER - 1]]
        yield Step(index - 1, x if index < count else left_as_is(x, following), denoised)


def weights(ratios: Sequence[float], h: float) -> list[float]:
    """Those of the differences to the guesses that lie `ratios` steps away: equation 10 of the paper with B(h) = h."""
    import numpy as np

    if len(ratios) < 2:
        return [0.5] * len(ratios)
    phi, factorial, wanted = math.expm1(-h) / -h - 1, 1, []
    for power in range(1, len(ratios) + 1):
        wanted.append(phi * factorial / -h)
        factorial *= power + 1
        phi = phi / -h - 1 / factorial
    solved: list[float] = np.linalg.solve(np.vander(ratios, increasing=True).T, wanted).tolist()
    return solved


def _even(table: SigmaTable, first: int, count: int) -> list[float]:
    """Levels of `count` steps, even in time from the timestep `first` to 0."""
    last = len(table.sigmas) - 1
    logs = [math.log1p(sigma**2) for sigma in table.sigmas]

    def sigma(timestep: float) -> float:
        low = min(int(timestep), last - 1)
        return math.sqrt(math.expm1(logs[low] + (timestep - low) * (logs[low + 1] - logs[low])))

    return [sigma(timestep) for timestep in ramp(first, 0, count + 1)]


def _bent(base: Tensor, bends: Sequence[Tensor], h: float, shares: Sequence[float]) -> Tensor:
    for bend, share in zip(bends, shares, strict=True):
        base = base + bend * (h * share)
    return base


SAMPLER = Sampler("UniPC", ("unipc",), AUTOMATIC, sample, grid=grid, only_grid=True, unit_start=True, over=over)
