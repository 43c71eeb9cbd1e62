"""Finds faces and their landmarks with CenterFace (Xu et al. 2019), through OpenCV."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modelhub.errors import BrokenFile, MissingPackage

__all__ = ["Detector", "Face", "opencv"]

_STRIDE = 4
"""Px of the picture to a place of the maps."""
_MULTIPLE = 32
_LARGEST = 1280
"""Px of the longer side that is looked at: larger pictures are looked at smaller."""
_SURE = 0.5
_OVERLAP = 0.3
"""Share of two boxes' union that they have in common, above which the fainter one is the same face."""


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """One face, in px of the picture."""

    box: tuple[float, float, float, float]
    """Left, top, right, bottom."""
    score: float
    """0 to 1."""
    landmarks: NDArray[np.float64]
    """[5, 2]: the left eye as we see it, the right one, the nose, both corners of the mouth; x, y."""

    @property
    def eye_distance(self) -> float:
        """Px."""
        return float(np.linalg.norm(self.landmarks[0] - self.landmarks[1]))


class Detector:
    """CenterFace of one file."""

    def __init__(self, path: Path) -> None:
        """Raises `BrokenFile`, or `MissingPackage` without OpenCV."""
        cv2 = opencv()
        try:
            self._net = cv2.dnn.readNetFromONNX(str(path))
        except cv2.error as error:
            raise BrokenFile(path, f"it is no detector that OpenCV can read ({error.msg or error.err})") from error

    def faces(self, pixels: NDArray[np.uint8]) -> list[Face]:
        """Of an RGB picture [h, w, 3], the surest first."""
        height, width = pixels.shape[:2]
        shrink = min(1.0, _LARGEST / max(height, width))
        looked = tuple(_MULTIPLE * ceil(side * shrink / _MULTIPLE) for side in (width, height))
        self._net.setInput(opencv().dnn.blobFromImage(pixels, 1.0, looked, (0, 0, 0), swapRB=False, crop=False))
        maps = self._net.forward(self._net.getUnconnectedOutLayersNames())
        scale = np.array([width / looked[0], height / looked[1]])
        return _apart([_scaled(face, scale) for face in decoded(*maps)])


def decoded(
    heat: NDArray[Any], size: NDArray[Any], offset: NDArray[Any], marks: NDArray[Any], *, sure: float = _SURE
) -> list[Face]:
    """Faces where the heat is above `sure`; maps are [1, C, h, w], rows before columns in `size` and `offset`."""
    found = []
    for row, column in np.argwhere(heat[0, 0] > sure):
        height, width = np.exp(size[0, :, row, column]) * _STRIDE
        middle = np.array([column + offset[0, 1, row, column], row + offset[0, 0, row, column]]) + 0.5
        corner = middle * _STRIDE - np.array([width, height]) / 2
        places = marks[0, :, row, column].reshape(5, 2)[:, ::-1] * [width, height] + corner
        box = (corner[0], corner[1], corner[0] + width, corner[1] + height)
        found.append(Face(tuple(map(float, box)), float(heat[0, 0, row, column]), places.astype(np.float64)))  # type: ignore[arg-type]
    return found


def opencv() -> Any:
    """The module; raises `MissingPackage` naming the extra."""
    try:
        import cv2
    except ModuleNotFoundError as error:
        raise MissingPackage("opencv-python-headless", "inference") from error
    return cv2


def _scaled(face: Face, scale: NDArray[np.float64]) -> Face:
    left, top, right, bottom = (float(side) for side in np.array(face.box) * np.tile(scale, 2))
    return Face((left, top, right, bottom), face.score, face.landmarks * scale)


def _apart(faces: Sequence[Face]) -> list[Face]:
    """Each face once: the surest of those that lie over one another."""
    kept: list[Face] = []
    for face in sorted(faces, key=lambda one: one.score, reverse=True):
        if all(_shared(face.box, other.box) <= _OVERLAP for other in kept):
            kept.append(face)
    return kept


def _shared(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """Intersection over union."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    common = max(width, 0.0) * max(height, 0.0)
    return common / (_area(one) + _area(other) - common)


def _area(box: tuple[float, ...]) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])
