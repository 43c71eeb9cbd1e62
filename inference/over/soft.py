"""Soft inpainting: a mask's grey says how firmly the old picture is kept, and what changed little is put back."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from torch import Tensor

from inference.over.resizing import resized
from inference.request import Soft

__all__ = ["SoftBlend", "changed"]

_TINY = 1e-5
_SPREAD, _REACH = 1.5, 2
"""Of the kernel over latents by which differences are smoothed, in latents."""
_BLUR = 4
"""Of the mask that comes of it, in px."""


@dataclass(frozen=True, slots=True, eq=False)
class SoftBlend:
    """A mean of which the length is kept: the power mean of the two lengths."""

    old: Tensor
    """[1 or B, C, h, w]"""
    mask: Tensor
    """[1, 1, h, w], 1 where to draw."""
    soft: Soft

    def __call__(self, latents: Tensor, sigma: float) -> Tensor:
        share = self.mask ** (sigma**self.soft.schedule_bias * self.soft.preservation)
        power = self.soft.contrast_boost
        mean = self.old * (1 - share) + latents * share
        wanted = (_length(self.old) ** power * (1 - share) + _length(latents) ** power * share) ** (1 / power)
        kept: Tensor = mean * (wanted / (_length(mean) + _TINY)).to(mean.dtype)
        return kept


def changed(old: Tensor, new: Tensor, mask: Tensor, soft: Soft, size: tuple[int, int]) -> Image.Image:
    """A mask at `size` px of what changed enough to be shown: `old` and `new` are [C, h, w], `mask` is [h, w]."""
    distance = torch.linalg.vector_norm(new - old, dim=0).cpu().numpy().astype(np.float64)
    distance = _percentile_mean(_percentile_mean(distance, 0.9, 1.0), 0.25, 0.75)
    firm = 1 - mask.clamp(0, 1).cpu().numpy().astype(np.float64) ** (soft.preservation / 2)
    firm = 0.5 * (1 - soft.mask_influence) + firm * soft.mask_influence
    half = soft.difference_threshold * firm / (1 + _TINY - firm)
    times = np.divide(distance, half, out=np.where(distance > 0, np.inf, 0.0), where=half > 0)
    shown = 1 - _smootherstep(1 / (1 + times**soft.difference_contrast))
    image = Image.fromarray((255 * shown).astype(np.uint8))
    return resized(image, size, "fill").filter(ImageFilter.GaussianBlur(_BLUR))


def _length(latents: Tensor) -> Tensor:
    """[B, 1, h, w], float64, for it is raised to high powers."""
    length: Tensor = torch.linalg.vector_norm(latents, dim=1, keepdim=True)
    return length.double()


def _percentile_mean(values: NDArray[np.float64], low: float, high: float) -> NDArray[np.float64]:
    """Each place's mean of what lies between two percentiles around it, at least a weight of 1 of it."""
    kernel = _kernel()
    height, width = values.shape
    padded, inside = np.pad(values, _REACH), np.pad(np.ones_like(values), _REACH)
    offsets = list(np.ndindex(kernel.shape))
    near = np.stack([padded[y : y + height, x : x + width] for y, x in offsets])
    weights = np.stack([inside[y : y + height, x : x + width] * kernel[y, x] for y, x in offsets])
    order = near.argsort(axis=0, kind="stable")
    near, weights = np.take_along_axis(near, order, 0), np.take_along_axis(weights, order, 0)
    ends = weights.cumsum(axis=0)
    start, end = _window(ends[-1], low, high)
    overlap = (np.minimum(end, ends) - np.maximum(start, ends - weights)).clip(0)
    found: NDArray[np.float64] = (near * overlap).sum(axis=0) / overlap.sum(axis=0)
    return found


def _window(total: NDArray[np.float64], low: float, high: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where it starts and ends in the sum of the weights."""
    width = np.maximum(total * (high - low), 1.0)
    start = (total * (low + high) - width) / 2
    start = np.maximum(np.minimum(start, total - width), 0.0)
    return start, start + width


def _kernel() -> NDArray[np.float64]:
    """A Gaussian that reaches 0 one place beyond its edge."""
    places = np.arange(-_REACH, _REACH + 1) ** 2
    heights = np.exp(-(places[:, None] + places[None, :]) / _SPREAD**2)
    edge = np.exp(-((_REACH + 1) ** 2) / _SPREAD**2)
    tapered: NDArray[np.float64] = np.maximum((heights - edge) / (1 - edge), 0.0)
    return tapered


def _smootherstep(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Perlin's: flat at both ends."""
    return x**3 * (x * (6 * x - 15) + 10)
