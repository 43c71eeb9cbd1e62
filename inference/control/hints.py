"""A picture -> the hint that a ControlNet sees: preprocessed, and brought to the size that is drawn (no torch)."""

from typing import Any

import numpy as np
from PIL import Image

from inference.control.preprocessors import find
from inference.control.preprocessors._preprocessor import Picture
from inference.request import ControlUse

__all__ = ["hint"]

_STRIDE = 64
_FEW_COLOURS = 200


def hint(image: Image.Image, use: ControlUse, size: tuple[int, int]) -> Picture:
    """[H, W, 3] of `size` = width, height px.

    The preprocessor works at the resolution that is drawn (the ControlNet extension's "pixel perfect"), on a canvas
    whose sides are multiples of 64 px.
    """
    picture = np.asarray(image.convert("RGB"))
    preprocessor = find(use.preprocessor)
    if preprocessor.numbers or preprocessor.name != "none":
        given = [*use.options, *(number.default for number in preprocessor.numbers[len(use.options) :])]
        picture = _on_canvas(picture, _scale(picture, use, size), preprocessor.make, given)
    return _placed(picture, use, size)


def _scale(picture: Picture, use: ControlUse, size: tuple[int, int]) -> float:
    """From the picture to what is drawn: covering it, or within it where the rest is filled."""
    across, down = size[0] / float(picture.shape[1]), size[1] / float(picture.shape[0])
    return min(across, down) if use.resize == "fill" else max(across, down)


def _on_canvas(picture: Picture, scale: float, make: Any, given: list[float]) -> Picture:
    height, width = (round(side * scale) for side in picture.shape[:2])
    scaled = _resized(picture, (width, height)) if scale != 1.0 else picture
    below, right = -height % _STRIDE, -width % _STRIDE
    canvas = np.pad(scaled, ((0, below), (0, right), (0, 0)), mode="edge")
    made: Picture = make(canvas, *given)[:height, :width]
    return np.ascontiguousarray(made)


def _placed(picture: Picture, use: ControlUse, size: tuple[int, int]) -> Picture:
    """Stretched; or covering, its middle cut out; or within, on the colour of its border."""
    width, height = size
    if use.resize == "stretch":
        return _faithful(picture, size)
    scale = _scale(picture, use, size)
    inner = _faithful(picture, (round(picture.shape[1] * scale), round(picture.shape[0] * scale)))
    if use.resize == "crop":
        top, left = max(0, (inner.shape[0] - height) // 2), max(0, (inner.shape[1] - width) // 2)
        return np.ascontiguousarray(inner[top : top + height, left : left + width])
    border = np.concatenate([inner[0], inner[-1], inner[:, 0], inner[:, -1]])
    ground = np.empty((height, width, 3), np.uint8)
    ground[:] = np.median(border, axis=0)
    top, left = max(0, (height - inner.shape[0]) // 2), max(0, (width - inner.shape[1]) // 2)
    ground[top : top + inner.shape[0], left : left + inner.shape[1]] = inner[:height, :width]
    return ground


def _faithful(picture: Picture, size: tuple[int, int]) -> Picture:
    """Resized as fits what is on it: maps of few colours keep them, black and white stay so."""
    if (picture.shape[1], picture.shape[0]) == size:
        return picture
    import cv2

    colours = np.unique(picture.reshape(-1, 3), axis=0)
    black_and_white = np.array_equal(colours, [[0] * 3, [255] * 3])
    if len(colours) < _FEW_COLOURS and not black_and_white:
        return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_NEAREST), np.uint8)
    resized = _resized(picture, size)
    if black_and_white:
        grey = resized.mean(axis=2).astype(np.uint8)
        _, grey = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)  # type: ignore[assignment]
        resized = np.repeat(np.asarray(grey, np.uint8)[..., None], 3, axis=-1)
    return resized


def _resized(picture: Picture, size: tuple[int, int]) -> Picture:
    """Shrunk by areas, enlarged by cubic splines."""
    import cv2

    smaller = size[0] * size[1] < picture.shape[0] * picture.shape[1]
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC), np.uint8)
