"""Masks of a picture: 8 bits, white where it is drawn anew (no torch)."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

__all__ = ["blurred", "cover", "doubled", "hole", "read_mask", "region"]

_HALF_ALPHA = 128
_REACH = 2.5
"""Deviations that a blur's kernel goes to each side."""


def read_mask(image: Image.Image, *, invert: bool = False, rounded: bool = True) -> Image.Image:
    """A picture's transparency where it has some, the opaque parts white; else its brightness as it is."""
    alpha = _transparency(image)
    mask = alpha or image.convert("L")
    if alpha and rounded:
        mask = alpha.point([255 if one > _HALF_ALPHA else 0 for one in range(256)])
    return ImageOps.invert(mask) if invert else mask


def hole(image: Image.Image) -> Image.Image | None:
    """A mask of what a picture leaves open, be it a little; None for one that is opaque everywhere."""
    alpha = _transparency(image)
    return alpha.point([255] * 255 + [0]) if alpha else None


def blurred(mask: Image.Image, x: int, y: int) -> Image.Image:
    """Blurred by Gaussians of `x` and `y` px deviation that reach 2.5 of them; 0 leaves a direction as it is."""
    values = np.asarray(mask, np.float64)
    for axis, deviation in ((1, x), (0, y)):
        if deviation:
            values = np.floor(_convolved(values, axis, deviation) + 0.5)
    return Image.fromarray(values.clip(0, 255).astype(np.uint8))


def doubled(mask: Image.Image) -> Image.Image:
    """With the outer half of its soft edge made firm: what covers the old picture where the whole is drawn."""
    return mask.point([min(2 * one, 255) for one in range(256)])


def region(mask: Image.Image, padding: int, shape: tuple[int, int]) -> tuple[int, int, int, int] | None:
    """The box around what is not black, `padding` px wider where there is room, and then widened to `shape`'s aspect.

    None for a mask that is black everywhere.
    """
    if not (box := mask.getbbox()):
        return None
    left, top = (max(one - padding, 0) for one in box[:2])
    right, bottom = (min(one + padding, most) for one, most in zip(box[2:], mask.size, strict=True))
    width, height = right - left, bottom - top
    if width * shape[1] > height * shape[0]:
        top, bottom = _widened(top, bottom, int(width * shape[1] / shape[0]), mask.height)
    else:
        left, right = _widened(left, right, int(height * shape[0] / shape[1]), mask.width)
    return left, top, right, bottom


def cover(picture: Image.Image, mask: Image.Image) -> Image.Image:
    """What of the old picture lies over the new one: RGBA, open where the mask is white."""
    premultiplied = Image.new("RGBa", picture.size)
    premultiplied.paste(picture.convert("RGBA").convert("RGBa"), mask=ImageOps.invert(mask))
    return premultiplied.convert("RGBA")


def _transparency(image: Image.Image) -> Image.Image | None:
    """Its alpha; None where it is opaque everywhere."""
    if not image.has_transparency_data:
        return None
    alpha = image.convert("RGBA").getchannel("A")
    return alpha if alpha.histogram()[255] < alpha.width * alpha.height else None


def _widened(start: int, end: int, wanted: int, most: int) -> tuple[int, int]:
    """Grown evenly to both sides, moved back from an end that it would hang over, and cut there."""
    more = wanted - (end - start)
    start, end = start - more // 2, end + more - more // 2
    if end >= most:
        start, end = start - (end - most), most
    if start < 0:
        start, end = 0, end - start
    return start, min(end, most)


def _convolved(values: NDArray[np.float64], axis: int, deviation: int) -> NDArray[np.float64]:
    """With a normalized Gaussian; beyond an edge the values are mirrored, the edge itself not repeated."""
    reach = int(_REACH * deviation + 0.5)
    kernel = _gaussian(reach, deviation)
    pad = [(0, 0), (0, 0)]
    pad[axis] = (reach, reach)
    wide = np.pad(values, pad, mode="reflect") if values.shape[axis] > 1 else np.pad(values, pad, mode="edge")
    length = values.shape[axis]
    total = np.zeros_like(values)
    for offset, weight in enumerate(kernel):
        total += weight * wide.take(range(offset, offset + length), axis=axis)
    return total


def _gaussian(reach: int, deviation: float) -> Sequence[float]:
    heights = [math.exp(-(place**2) / (2 * deviation**2)) for place in range(-reach, reach + 1)]
    return [height / sum(heights) for height in heights]
