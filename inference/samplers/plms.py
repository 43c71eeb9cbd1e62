"""PLMS: Adams-Bashforth on the predicted noise along DDIM's path (Liu et al. 2022, https://arxiv.org/abs/2202.09778)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from inference.samplers._sampler import Denoise, Draw, Options, Sampler, Step, euler
from inference.samplers._timesteps import every_nth, left_as_is, over_latents
from inference.schedules import AUTOMATIC

if TYPE_CHECKING:
    from torch import Tensor


_WEIGHTS = {2: (3 / 2, -1 / 2), 3: (23 / 12, -16 / 12, 5 / 12), 4: (55 / 24, -59 / 24, 37 / 24, -9 / 24)}
"""Of the latest predictions, by how many there are."""


def sample(denoise: Denoise, x: Tensor, sigmas: Sequence[float], draw: Draw, options: Options) -> Iterator[Step]:
    """x += eps' (sigma' - sigma); the first step averages eps at both of its ends."""
    past: list[Tensor] = []
    for index, (sigma, following) in enumerate(pairwise(sigmas)):
        denoised = denoise(x, sigma)
        noise = (x - denoised) / sigma
        past = [noise, *past[:3]]
        if len(past) == 1:
            there = euler(x, denoised, sigma, following)
            direction = (noise + (there - denoise(there, following)) / following) / 2
        else:
            direction = noise * _WEIGHTS[len(past)][0]
            for weight, older in zip(_WEIGHTS[len(past)][1:], past[1:], strict=True):
                direction = direction + older * weight
        x = x + direction * (following - sigma)
        yield Step(index, x if index < len(sigmas) - 2 else left_as_is(x, following), denoised)


SAMPLER = Sampler(
    "PLMS", ("plms",), AUTOMATIC, sample, grid=every_nth, only_grid=True, unit_start=True, over=over_latents
)
