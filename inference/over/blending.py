"""Keeping the old picture's latents where the mask is black, at every call of a sampler."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from inference.samplers import Denoise

__all__ = ["After", "Before", "Blend", "Plain"]


class Blend(Protocol):
    """(latents, sigma) -> the latents where they may change, and the old ones elsewhere."""

    def __call__(self, latents: Tensor, sigma: float) -> Tensor: ...


@dataclass(frozen=True, slots=True, eq=False)
class Plain:
    """A mean, weighted by the mask."""

    old: Tensor
    """[1 or B, C, h, w]"""
    mask: Tensor
    """[1, 1, h, w], 1 where to draw."""

    def __call__(self, latents: Tensor, sigma: float) -> Tensor:
        return latents * self.mask + self.old * (1 - self.mask)


@dataclass(frozen=True, slots=True)
class After:
    """The guesses are blended: webui's rule for k-diffusion's samplers."""

    denoise: Denoise
    blend: Blend

    def __call__(self, x: Tensor, sigma: float) -> Tensor:
        return self.blend(self.denoise(x, sigma), sigma)

    def apart(self, x: Tensor, sigma: float) -> tuple[Tensor, Tensor]:
        """As the model's, the first one blended."""
        guess, without = self.denoise.apart(x, sigma)
        return self.blend(guess, sigma), without


@dataclass(frozen=True, slots=True)
class Before:
    """What the model is asked about is blended, and its noise taken for that of x: webui's rule for timestep samplers.

    They work in variance-preserving terms, in which the old latents go in without noise.
    """

    denoise: Denoise
    blend: Blend

    def __call__(self, x: Tensor, sigma: float) -> Tensor:
        asked = self._asked(x, sigma)
        return x + (self.denoise(asked, sigma) - asked)

    def apart(self, x: Tensor, sigma: float) -> tuple[Tensor, Tensor]:
        """As the model's, for x."""
        asked = self._asked(x, sigma)
        guess, without = self.denoise.apart(asked, sigma)
        return x + (guess - asked), x + (without - asked)

    def _asked(self, x: Tensor, sigma: float) -> Tensor:
        spread = math.hypot(sigma, 1.0)
        return self.blend(x / spread, sigma) * spread
