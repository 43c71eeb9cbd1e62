"""A face detector that calls every bright square of 4 px a face: an ONNX file of four convolutions."""

import math
import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["FACE", "MARKS", "write_detector"]

FACE = 64.0
"""Px of a side of the faces that it finds."""
MARKS = ((0.3, 0.4), (0.7, 0.4), (0.5, 0.6), (0.35, 0.8), (0.65, 0.8))
"""Landmarks in every face, x and y as shares of its sides."""
_STRIDE = 4
_COLOURS = 3
_FLOAT, _INTS = 1, 7
"""Numbers of ONNX's types."""


def write_detector(path: Path, *, everywhere: bool = False) -> Path:
    """Maps as CenterFace gives them: how bright, how large, how far off, and the landmarks.

    `everywhere` lets dark squares be faces too.
    """
    bright = np.full((1, _COLOURS, _STRIDE, _STRIDE), 1 / (255 * _COLOURS * _STRIDE**2), np.float32)
    marks = [share for x, y in MARKS for share in (y, x)]
    maps = {
        "537": (bright, [1.0 if everywhere else 0.0]),
        "538": (_nothing(2), [math.log(FACE / _STRIDE)] * 2),
        "539": (_nothing(2), [0.0, 0.0]),
        "540": (_nothing(10), marks),
    }
    nodes = b"".join(_field(1, _convolution(name)) for name in maps)
    weights = b"".join(
        _field(5, _tensor(f"w{name}", weight)) + _field(5, _tensor(f"b{name}", np.array(bias, np.float32)))
        for name, (weight, bias) in maps.items()
    )
    ends = _field(11, _value("input", (1, _COLOURS, 64, 64)))
    ends += b"".join(_field(12, _value(name, (1, len(bias), 16, 16))) for name, (_, bias) in maps.items())
    graph = nodes + _field(2, b"faces") + weights + ends
    path.write_bytes(_number(1, 8) + _field(7, graph) + _field(8, _number(2, 13)))
    return path


def _nothing(channels: int) -> NDArray[np.float32]:
    return np.zeros((channels, _COLOURS, _STRIDE, _STRIDE), np.float32)


def _convolution(name: str) -> bytes:
    given = b"".join(_field(1, one.encode()) for one in ("input", f"w{name}", f"b{name}"))
    sizes = _ints("kernel_shape", _STRIDE) + _ints("strides", _STRIDE)
    return given + _field(2, name.encode()) + _field(3, f"conv{name}".encode()) + _field(4, b"Conv") + sizes


def _ints(name: str, value: int) -> bytes:
    return _field(5, _field(1, name.encode()) + _number(8, value) * 2 + _number(20, _INTS))


def _tensor(name: str, values: NDArray[np.float32]) -> bytes:
    sides = b"".join(_number(1, side) for side in values.shape)
    return sides + _number(2, _FLOAT) + _field(8, name.encode()) + _field(9, values.tobytes())


def _value(name: str, shape: tuple[int, ...]) -> bytes:
    sides = b"".join(_field(1, _number(1, side)) for side in shape)
    return _field(1, name.encode()) + _field(2, _field(1, _number(1, _FLOAT) + _field(2, sides)))


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _varint(value: int) -> bytes:
    found = b""
    while value > 0x7F:
        found += struct.pack("B", value & 0x7F | 0x80)
        value >>= 7
    return found + struct.pack("B", value)
