"""DPM++ 2S a: a second-order step in x0 to below the next noise level, then fresh noise (Lu et al. 2022)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from inference.samplers._sampler import Denoise, Draw, Options, Sampler, Step, ancestral_split, euler

if TYPE_CHECKING:
    from torch import Tensor


def sample(denoise: Denoise, x: Tensor, sigmas: Sequence[float], draw: Draw, options: Options) -> Iterator[Step]:
    """DPM-Solver++(2S) in t = -ln sigma with r = 1/2: the guess halfway makes the whole step; plain Euler to 0."""
    eta = 1.0 if options.eta is None else options.eta
    for index, (sigma, following) in enumerate(pairwise(sigmas)):
        denoised = denoise(x, sigma)
        down, up = ancestral_split(sigma, following, eta)
        guess = denoised
        if down > 0:
            middle = (sigma * down) ** 0.5
            guess = denoise(euler(x, denoised, sigma, middle), middle)
        x = euler(x, guess, sigma, down)
        if following > 0:
            x = x + draw() * (up * options.noise)
        yield Step(index, x, denoised)


SAMPLER = Sampler("DPM++ 2S a", ("k_dpmpp_2s_a",), default_schedule="Karras", sample=sample, calls=2)
