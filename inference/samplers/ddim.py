"""DDIM: back to the next level along the predicted noise, with a share of fresh noise (Song et al. 2020)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from inference.samplers._sampler import Denoise, Draw, Options, Sampler, Step, ancestral_split, euler
from inference.samplers._timesteps import every_nth, left_as_is, over_latents
from inference.schedules import AUTOMATIC

if TYPE_CHECKING:
    from torch import Tensor


def sample(denoise: Denoise, x: Tensor, sigmas: Sequence[float], draw: Draw, options: Options) -> Iterator[Step]:
    """Equation 12 divided by sqrt(abar): x = D + sigma_down eps + sigma_up * noise; eta is 0 unless asked for."""
    eta = options.eta or 0.0
    for index, (sigma, following) in enumerate(pairwise(sigmas)):
        denoised = denoise(x, sigma)
        down, up = ancestral_split(sigma, following, eta)
        x = euler(x, denoised, sigma, down)
        if eta:
            x = x + draw() * up
        yield Step(index, x if index < len(sigmas) - 2 else left_as_is(x, following), denoised)


SAMPLER = Sampler(
    "DDIM", ("ddim",), AUTOMATIC, sample, grid=every_nth, only_grid=True, unit_start=True, over=over_latents
)
