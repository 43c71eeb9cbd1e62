"""Heun: an Euler step, then the mean of the slopes at both ends (Karras et al. 2022, algorithm 2)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from inference.samplers._heun import heun_step
from inference.samplers._sampler import Denoise, Draw, Options, Sampler, Step, churned

if TYPE_CHECKING:
    from torch import Tensor


def sample(denoise: Denoise, x: Tensor, sigmas: Sequence[float], draw: Draw, options: Options) -> Iterator[Step]:
    """x += (d + d') / 2 (sigma' - sigma); plain Euler where sigma' is 0."""
    for index, (sigma, following) in enumerate(pairwise(sigmas)):
        x, raised = churned(x, sigma, len(sigmas) - 1, draw, options)
        x, denoised = heun_step(denoise, x, raised, following)
        yield Step(index, x, denoised)


SAMPLER = Sampler("Heun", ("k_heun",), default_schedule="Uniform", sample=sample, calls=2)
