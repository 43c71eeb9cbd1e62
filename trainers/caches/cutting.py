"""A picture on disk -> what the VAE is shown of it, and its mask -> what of that is learned from."""

import numpy as np
from PIL import Image

from trainers.framing.augment import Colouring
from trainers.framing.buckets import Placement

__all__ = ["coloured", "cut", "cut_mask"]

_MOST = 16
"""Times as many pixels as are shown that may be computed to show them."""


def cut(image: Image.Image, placement: Placement, mirrored: bool) -> Image.Image:
    """Scale an image over its bucket and cut the bucket out; area averaging down, Lanczos up, as kohya does."""
    cropped = _within(image, placement)
    return cropped.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if mirrored else cropped


def _within(image: Image.Image, placement: Placement) -> Image.Image:
    """The bucket's part of the scaled image; where hardly any is shown, the others are never computed."""
    shrinking = placement.scaled[0] < image.width
    way = Image.Resampling.BOX if shrinking else Image.Resampling.LANCZOS
    (left, top), (width, height), (across, down) = placement.crop, placement.bucket, placement.scaled
    if across * down <= _MOST * width * height:
        return image.resize(placement.scaled, way).crop((left, top, left + width, top + height))
    x, y = image.width / across, image.height / down
    right, bottom = min(image.width, (left + width) * x), min(image.height, (top + height) * y)
    return image.resize(placement.bucket, way, box=(left * x, top * y, right, bottom))


def cut_mask(mask: Image.Image, placement: Placement, mirrored: bool, downscale: int) -> Image.Image:
    """A mask as its picture is cut, then the mean of every latent's pixels."""
    width, height = placement.bucket
    return cut(mask, placement, mirrored).resize((width // downscale, height // downscale), Image.Resampling.BOX)


def coloured(image: Image.Image, colouring: Colouring) -> Image.Image:
    """With other hues, or another brightness of what is neither black nor white."""
    if colouring.turn:
        hue, *others = image.convert("HSV").split()
        turned = hue.point([(value + round(colouring.turn * 256)) % 256 for value in range(256)])
        return Image.merge("HSV", (turned, *others)).convert("RGB")
    if colouring.gamma != 1:
        values = (np.arange(256) / 255) ** colouring.gamma * 255
        return image.point(np.tile(values.round().astype(int), 3).tolist())
    return image
