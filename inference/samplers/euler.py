"""Euler: follows the slope at each noise level (Karras et al. 2022, algorithm 2 without its correction)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from inference.samplers._sampler import Denoise, Draw, Options, Sampler, Step, churned, euler

if TYPE_CHECKING:
    from torch import Tensor


def sample(denoise: Denoise, x: Tensor, sigmas: Sequence[float], draw: Draw, options: Options) -> Iterator[Step]:
    """x += d (sigma' - sigma), with d = (x - D) / sigma."""
    for index, (sigma, following) in enumerate(pairwise(sigmas)):
        x, raised = churned(x, sigma, len(sigmas) - 1, draw, options)
        denoised = denoise(x, raised)
        x = euler(x, denoised, raised, following)
        yield Step(index, x, denoised)


SAMPLER = Sampler("Euler", ("k_euler",), default_schedule="Uniform", sample=sample)
