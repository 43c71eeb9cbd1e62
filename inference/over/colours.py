"""Giving one picture's colours to another (no torch)."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["with_colours_of"]

_FROM_RGB = np.array([[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]])
"""sRGB's primaries to CIE XYZ (ITU-R BT.709, D65)."""
_WHITE = _FROM_RGB.sum(axis=1)
_LUMA = np.array([0.3, 0.59, 0.11])
"""Of W3C's compositing modes."""
_KNEE = (6 / 29) ** 3
"""Where CIE L*'s cube root begins."""


def with_colours_of(image: Image.Image, reference: Image.Image) -> Image.Image:
    """The histograms of L*, a* and b* matched to the reference's, then the image's own luminosity put back."""
    own = np.asarray(image.convert("RGB"))
    lab, wanted = _to_lab(own), _to_lab(np.asarray(reference.convert("RGB")))
    matched = np.stack([_matched(lab[..., one], wanted[..., one]) for one in range(3)], axis=-1)
    return Image.fromarray(_with_luminosity_of(_to_rgb(matched), own))


def _matched(values: NDArray[np.uint8], reference: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Each level becomes the reference's level of the same quantile; fractions are cut."""
    shares = np.bincount(values.ravel(), minlength=256).cumsum() / values.size
    counts = np.bincount(reference.ravel(), minlength=256)
    levels = counts.nonzero()[0]
    table = np.interp(shares, counts[levels].cumsum() / reference.size, levels)
    found: NDArray[np.uint8] = table[values].astype(np.uint8)
    return found


def _with_luminosity_of(colours: NDArray[np.uint8], lights: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """W3C's SetLum(colours, Lum(lights)) with ClipColor."""
    base, luminosity = colours / 255, (lights / 255) @ _LUMA
    base = base + (luminosity - base @ _LUMA)[..., None]
    light = (base @ _LUMA)[..., None]
    low, high = base.min(axis=-1, keepdims=True), base.max(axis=-1, keepdims=True)
    base = np.where(low < 0, light + (base - light) * light / np.where(low < 0, light - low, 1), base)
    base = np.where(high > 1, light + (base - light) * (1 - light) / np.where(high > 1, high - light, 1), base)
    return _levels(base * 255)


def _to_lab(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """8 bits a channel: L* of 0..100 over all of them, a* and b* around 128."""
    levels = np.arange(256) / 255
    linear = np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)[rgb]
    xyz = linear @ _FROM_RGB.T / _WHITE
    roots = np.where(xyz > _KNEE, np.cbrt(xyz), xyz * (29 / 6) ** 2 / 3 + 4 / 29)
    x, y, z = np.moveaxis(roots, -1, 0)
    return _levels(np.stack([(116 * y - 16) * 2.55, 500 * (x - y) + 128, 200 * (y - z) + 128], axis=-1))


def _to_rgb(lab: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """What `_to_lab` made of it."""
    y = (lab[..., 0] / 2.55 + 16) / 116
    roots = np.stack([y + (lab[..., 1] - 128.0) / 500, y, y - (lab[..., 2] - 128.0) / 200], axis=-1)
    xyz = np.where(roots > 6 / 29, roots**3, 3 * (6 / 29) ** 2 * (roots - 4 / 29)) * _WHITE
    linear = (xyz @ np.linalg.inv(_FROM_RGB).T).clip(0, 1)
    return _levels(np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055) * 255)


def _levels(values: NDArray[np.float64]) -> NDArray[np.uint8]:
    found: NDArray[np.uint8] = (values + 0.5).clip(0, 255).astype(np.uint8)
    return found
