"""DPM++ SDE: two ancestral half steps in x0 with noise from one Brownian path (k-diffusion; Lu et al. 2022)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from inference.samplers._sampler import Denoise, Draw, Options, Sampler, Step, ancestral_split, euler

if TYPE_CHECKING:
    from torch import Tensor


def sample(denoise: Denoise, x: Tensor, sigmas: Sequence[float], draw: Draw, options: Options) -> Iterator[Step]:
    """r = 1/2, so the guess halfway alone makes the whole step; plain Euler to 0."""
    eta = 1.0 if options.eta is None else options.eta
    for index, (sigma, following) in enumerate(pairwise(sigmas)):
        denoised = denoise(x, sigma)
        if following == 0:
            x = euler(x, denoised, sigma, following)
        else:
            middle = (sigma * following) ** 0.5
            down, up = ancestral_split(sigma, middle, eta)
            there = euler(x, denoised, sigma, down) + draw.between(sigma, middle) * (up * options.noise)
            guess = denoise(there, middle)
            down, up = ancestral_split(sigma, following, eta)
            x = euler(x, guess, sigma, down) + draw.between(sigma, following) * (up * options.noise)
        yield Step(index, x, denoised)


SAMPLER = Sampler("DPM++ SDE", ("k_dpmpp_sde",), default_schedule="Karras", sample=sample, calls=2)
