"""Euler a: an Euler step to below the next noise level, then fresh noise up to it (k-diffusion, K. Crowson 2022)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from inference.samplers._sampler import Denoise, Draw, Options, Sampler, Step, ancestral_split, euler

if TYPE_CHECKING:
    from torch import Tensor


def sample(denoise: Denoise, x: Tensor, sigmas: Sequence[float], draw: Draw, options: Options) -> Iterator[Step]:
    """x += d (sigma_down - sigma), with d = (x - D) / sigma; then x += sigma_up * noise."""
    eta = 1.0 if options.eta is None else options.eta
    for index, (sigma, following) in enumerate(pairwise(sigmas)):
        denoised = denoise(x, sigma)
        down, up = ancestral_split(sigma, following, eta)
        x = euler(x, denoised, sigma, down)
        if following > 0:
            x = x.add(draw(), alpha=up * options.noise)
        yield Step(index, x, denoised)


SAMPLER = Sampler("Euler a", ("k_euler_a", "k_euler_ancestral"), default_schedule="Uniform", sample=sample)
