"""A picture on disk -> what the VAE is shown of it, and its mask -> what of that is learned from."""

import numpy as np
from PIL import Image

from trainers.material.augment import Colouring
from trainers.material.buckets import Placement

__all__ = ["coloured", "cut", "cut_mask"]


def cut(image: Image.Image, placement: Placement, mirrored: bool) -> Image.Image:
    """Scale an image over its bucket and cut the bucket out; area averaging down, Lanczos up, as kohya does."""
    shrinking = placement.scaled[0] < image.width
    scaled = image.resize(placement.scaled, Image.Resampling.BOX if shrinking else Image.Resampling.LANCZOS)
    left, top = placement.crop
    width, height = placement.bucket
    cropped = scaled.crop((left, top, left + width, top + height))
    return cropped.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if mirrored else cropped


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
