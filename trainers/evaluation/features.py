"""What a picture looks like, as a vector: pictures that look alike have vectors of one direction (no torch)."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["Features", "LookAndEdges", "Vector"]

Vector = NDArray[np.float32]

_SIDE = 128
"""Px that pictures are brought to."""
_CELL = 16
_ANGLES = 9
_SHADES = 4
"""Levels of red, green and blue."""
_CLIPPED = 0.2


class Features(Protocol):
    """A way to see pictures."""

    @property
    def name(self) -> str:
        """What it is called where its numbers are told."""
        ...

    def of(self, pictures: Sequence[Image.Image]) -> Vector:
        """[pictures, width], each of length 1."""
        ...


class LookAndEdges:
    """Colours and directions of edges: what can be had without a network.

    Histograms of colours, whose square roots are compared (Hellinger), and of oriented gradients (Dalal and Triggs
    2005), half of the vector each. It sees palette and pose, and nothing of what they mean.
    """

    name = "colours and edges"

    def of(self, pictures: Sequence[Image.Image]) -> Vector:
        rows = []
        for picture in pictures:
            pixels: Vector = np.asarray(_square(picture), dtype=np.float32) / np.float32(255)
            rows.append(np.concatenate([_colours(pixels), _edges(pixels.mean(-1))]) / np.sqrt(2))
        return np.stack(rows).astype(np.float32)


def _square(picture: Image.Image) -> Image.Image:
    """The whole picture, its sides brought to one length."""
    return picture.convert("RGB").resize((_SIDE, _SIDE), Image.Resampling.BOX)


def _colours(pixels: Vector) -> Vector:
    """Square roots of the shares that each of 64 colours has of the picture: of length 1."""
    shades = np.minimum((pixels * _SHADES).astype(int), _SHADES - 1)
    bins = shades[..., 0] * _SHADES**2 + shades[..., 1] * _SHADES + shades[..., 2]
    counts = np.bincount(bins.ravel(), minlength=_SHADES**3)
    shares: Vector = np.sqrt(counts / counts.sum()).astype(np.float32)
    return shares


def _edges(light: Vector) -> Vector:
    """Directions of gradients in cells of 16 px, in blocks of 2 x 2 cells whose contrast is evened out."""
    down, right = np.gradient(light)
    strength = np.hypot(down, right)
    angle = (np.arctan2(down, right) % np.pi) / np.pi * _ANGLES
    low = np.floor(angle).astype(int)
    share = angle - low
    cells = np.zeros((_SIDE // _CELL, _SIDE // _CELL, _ANGLES), np.float32)
    row, column = np.indices(light.shape) // _CELL
    np.add.at(cells, (row, column, low % _ANGLES), strength * (1 - share))
    np.add.at(cells, (row, column, (low + 1) % _ANGLES), strength * share)
    blocks = np.concatenate([cells[:-1, :-1], cells[1:, :-1], cells[:-1, 1:], cells[1:, 1:]], axis=-1)
    blocks = np.minimum(_unit(blocks), _CLIPPED)
    return _unit(_unit(blocks).reshape(-1))


def _unit(vectors: Vector) -> Vector:
    """Of length 1; what has no length stays nothing."""
    lengths: Vector = np.linalg.norm(vectors, axis=-1, keepdims=True).astype(np.float32)
    return (vectors / np.maximum(lengths, 1e-6)).astype(np.float32)
