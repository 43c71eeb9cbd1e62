"""The step of Heun's method, which Restart takes too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inference.samplers._sampler import Denoise, euler

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["heun_step"]


def heun_step(denoise: Denoise, x: Tensor, sigma: float, following: float) -> tuple[Tensor, Tensor]:
    """(x at the next noise level, the guess at this one); plain Euler where the next level is 0."""
    denoised = denoise(x, sigma)
    there = euler(x, denoised, sigma, following)
    if following == 0:
        return there, denoised
    slopes = (x - denoised) / sigma + (there - denoise(there, following)) / following
    return x + slopes * ((following - sigma) / 2), denoised
