"""DPM2: the slope at the geometric middle of two noise levels (DPM-Solver-2 in Karras' form, k-diffusion)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from inference.samplers._sampler import Denoise, Draw, Options, Sampler, Step, churned, euler

if TYPE_CHECKING:
    from torch import Tensor


def sample(denoise: Denoise, x: Tensor, sigmas: Sequence[float], draw: Draw, options: Options) -> Iterator[Step]:
    """x += d_mid (sigma' - sigma), d_mid at sqrt(sigma sigma'); plain Euler where sigma' is 0."""
    for index, (sigma, following) in enumerate(pairwise(sigmas)):
        x, raised = churned(x, sigma, len(sigmas) - 1, draw, options)
        denoised = denoise(x, raised)
        if following == 0:
            x = euler(x, denoised, raised, following)
        else:
            middle = (raised * following) ** 0.5
            there = euler(x, denoised, raised, middle)
            x = x + (there - denoise(there, middle)) * ((following - raised) / middle)
        yield Step(index, x, denoised)


SAMPLER = Sampler("DPM2", ("k_dpm_2",), default_schedule="Karras", sample=sample, discards=True, calls=2)
