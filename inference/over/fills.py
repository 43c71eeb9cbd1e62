"""What stands under a mask before the first step (no torch)."""

from PIL import Image, ImageFilter, ImageOps

__all__ = ["filled"]

_LAYERS = ((256, 1), (64, 1), (16, 2), (4, 4), (2, 2), (0, 1))
"""Radius of a blur in px, and how often it is laid over the ones before."""


def filled(image: Image.Image, mask: Image.Image) -> Image.Image:
    """The masked part in the colours around it: the rest blurred ever less wide, one over the other."""
    rest = Image.new("RGBa", image.size)
    rest.paste(image.convert("RGBA").convert("RGBa"), mask=ImageOps.invert(mask))
    painted = Image.new("RGBA", image.size)
    for radius, times in _LAYERS:
        layer = rest.filter(ImageFilter.GaussianBlur(radius)).convert("RGBA")
        for _ in range(times):
            painted.alpha_composite(layer)
    return painted.convert("RGB")
