"""DDIM CFG++: the guess is guided, the noise that is put back is the unguided one (Chung et al. 2024, 2406.08070)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from inference.samplers._sampler import Denoise, Draw, Options, Sampler, Step, ancestral_split
from inference.samplers._timesteps import every_nth, left_as_is, over_latents
from inference.schedules import AUTOMATIC

if TYPE_CHECKING:
    from torch import Tensor


def sample(denoise: Denoise, x: Tensor, sigmas: Sequence[float], draw: Draw, options: Options) -> Iterator[Step]:
    """Algorithm 2 of the paper: x = D + sigma_down (x - D_unguided) / sigma + sigma_up * noise."""
    eta = options.eta or 0.0
    for index, (sigma, following) in enumerate(pairwise(sigmas)):
        denoised, unguided = denoise.apart(x, sigma)
        down, up = ancestral_split(sigma, following, eta)
        x = denoised + (x - unguided) * (down / sigma)
        if eta:
            x = x + draw() * up
        yield Step(index, x if index < len(sigmas) - 2 else left_as_is(x, following), denoised)


SAMPLER = Sampler(
    "DDIM CFG++",
    ("ddim_cfgpp",),
    AUTOMATIC,
    sample,
    grid=every_nth,
    only_grid=True,
    unit_start=True,
    over=over_latents,
    guidance=1 / 12.5,  # webui's, so that its usual CFG scales mean about what they mean elsewhere
)
