"""Restart: Heun, and once near the end back up with fresh noise and down again (Xu et al. 2023, arXiv 2306.14878)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from inference.samplers._heun import heun_step
from inference.samplers._sampler import Denoise, Draw, Options, Sampler, Step
from inference.schedules import karras_between

if TYPE_CHECKING:
    from torch import Tensor


_DOWN_TO, _UP_TO = 0.1, 2.0
"""Noise levels between which the way is gone again."""


def sample(denoise: Denoise, x: Tensor, sigmas: Sequence[float], draw: Draw, options: Options) -> Iterator[Step]:
    """Heun's steps; where the levels jump up, x += sqrt(sigma_up^2 - sigma^2) * noise first."""
    reached = sigmas[0]
    for index, (sigma, following) in enumerate(gaps(sigmas)):
        if sigma > reached:
            x = x + draw() * (options.noise * (sigma**2 - reached**2) ** 0.5)
        x, denoised = heun_step(denoise, x, sigma, following)
        reached = following
        yield Step(index, x, denoised)


def gaps(sigmas: Sequence[float]) -> list[tuple[float, float]]:
    """Each step's noise levels, as many steps as the schedule has; below 20 there is no restart."""
    steps = len(sigmas) - 1
    if steps < 20:
        return list(pairwise(sigmas))
    again, times = (steps // 4, 2) if steps >= 36 else (9, 1)
    levels = [*karras_between(sigmas[0], sigmas[-2], steps - again * times), 0.0]
    low, high = _nearest(levels, _DOWN_TO), _nearest(levels, _UP_TO)
    once_more = list(pairwise(karras_between(levels[high], levels[low], again + 1)))
    return [*pairwise(levels[: low + 1]), *(once_more * times), *pairwise(levels[low:])]


def _nearest(levels: Sequence[float], wanted: float) -> int:
    return min(range(len(levels)), key=lambda at: abs(levels[at] - wanted))


SAMPLER = Sampler("Restart", ("restart",), default_schedule="Karras", sample=sample, calls=2)
