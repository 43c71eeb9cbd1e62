"""How alike two pictures on white are, at a glance: cropped to what is drawn, and small."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["THUMBNAIL", "crop_to_content", "distance", "thumbnail"]

THUMBNAIL = 16
"""Pixels of a side at which pictures are compared."""

_WHITE_ENOUGH = 24


def crop_to_content(image: Image.Image) -> Image.Image:
    """The smallest square around all that is not nearly white, filled up with white; the whole picture if all is."""
    pixels = np.asarray(image.convert("RGB"))
    drawn = (255 - pixels.min(axis=-1)) > _WHITE_ENOUGH
    if not drawn.any():
        return image.convert("RGB")
    rows, columns = np.flatnonzero(drawn.any(axis=1)), np.flatnonzero(drawn.any(axis=0))
    content = image.convert("RGB").crop((int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1))
    side = max(content.size)
    square = Image.new("RGB", (side, side), "white")
    square.paste(content, ((side - content.width) // 2, (side - content.height) // 2))
    return square


def thumbnail(image: Image.Image) -> NDArray[np.uint8]:
    """The picture cropped to its content, [16, 16, 3]."""
    small = crop_to_content(image).resize((THUMBNAIL, THUMBNAIL), Image.Resampling.BOX)
    return np.asarray(small)


def distance(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """Root mean square difference of two thumbnails, in levels of 255."""
    return float(np.sqrt(np.square(one.astype(np.float64) - other.astype(np.float64)).mean()))
