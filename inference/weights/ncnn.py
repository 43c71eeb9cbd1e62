"""ncnn's upscalers (.param and .bin), as the ESRGAN and Compact networks that they were made of.

The text lists the layers, the binary their weights in the same order: a convolution's after a mark of their type,
float16 padded to whole words; biases and slopes are plain float32 (ncnn's wiki, "param and model file structure").
"""

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from pathlib import Path

from inference.weights.convert import ConversionPlan
from modelhub.errors import BadValue, BrokenFile, MissingFile
from modelhub.headers.pickles import Member, PlacedTensor

__all__ = ["is_ncnn", "plan_ncnn"]

_MAGIC = "7767517"
_MOST_TEXT = 16 << 20
"""Bytes of a .param; the largest that there are have some hundred thousand."""
_MARKS = {0: ("F32", 4), 0x01306B47: ("F16", 2)}
_WORD = 4
_WEIGHTLESS = ("BinaryOp", "Concat", "Eltwise", "Input", "Interp", "PixelShuffle", "ReLU", "Split")
_COUNT, _KERNEL, _BIAS, _SIZE = "0", "1", "5", "6"
"""Parameters of a layer, as ncnn numbers them."""
_TRUNK = ("conv_first",)
_TAIL = ("conv_body", "conv_up1", "conv_up2", "conv_hr", "conv_last")
_BRANCHES, _CONVOLUTIONS = 3, 5
"""Dense branches of a block, convolutions of a branch."""


@dataclass(frozen=True, slots=True)
class _Layer:
    """A line of the text."""

    type: str
    name: str
    parameters: Mapping[str, str]

    def number(self, key: str, missing: int | None = None) -> int:
        """Raises ValueError for what is none."""
        said = self.parameters.get(key)
        if said is None and missing is None:
            raise ValueError(f"{self.name} has no parameter {key}")
        value = int(said) if said is not None else missing or 0
        if not 0 <= value < 1 << 31:
            raise ValueError(f"parameter {key} of {self.name} is {value}")
        return value


@dataclass(frozen=True, slots=True)
class _Weights:
    """What one layer has."""

    layer: _Layer
    weight: PlacedTensor
    bias: PlacedTensor | None


def is_ncnn(path: Path) -> bool:
    """Whether a file is one of the two that make a network of ncnn's."""
    return path.suffix == ".param" or (path.suffix == ".bin" and path.with_suffix(".param").is_file())


def plan_ncnn(path: Path, *, half: bool = False) -> ConversionPlan:
    """What either of the two files comes to; raises `BadValue` for a network that is no ESRGAN and no Compact."""
    text, binary = path.with_suffix(".param"), path.with_suffix(".bin")
    for one in (text, binary):
        if not one.is_file():
            raise MissingFile(f"{one}: an ncnn network is two files, {text.name} and {binary.name}")
    found = _weights(text, binary)
    tensors = dict(_named(found, text))
    return ConversionPlan(binary, tensors, {"format": "pt"}, dropped=(), strangers=(), half=half)


def _weights(text: Path, binary: Path) -> list[_Weights]:
    size = binary.stat().st_size
    found: list[_Weights] = []
    at = 0
    with binary.open("rb") as file:
        for layer in _layers(text):
            try:
                if layer.type == "PReLU":
                    found.append(_Weights(layer, _placed("F32", (layer.number(_COUNT),), at), None))
                elif layer.type == "Convolution":
                    file.seek(at)
                    found.append(_convolution(layer, file.read(_WORD), at))
                else:
                    raise BadValue(f"{text} has a layer of {layer.type}: only ESRGAN and Compact networks are read")
            except ValueError as error:
                raise BrokenFile(text, str(error)) from error
            at = _end(found[-1])
            if at > size:
                raise BrokenFile(binary, f"it ends before the weights of {layer.name}", mend="download it again")
    if at != size:
        raise BrokenFile(binary, f"{size - at:,} bytes are left over: it belongs to another {text.name}")
    return found


def _layers(text: Path) -> Iterator[_Layer]:
    """Those with weights, or of a type that we do not know."""
    with text.open("rb") as file:
        lines = file.read(_MOST_TEXT).decode("utf-8", "replace").splitlines()
    if not lines or lines[0].strip() != _MAGIC:
        raise BrokenFile(text, f"it does not begin with {_MAGIC}, as ncnn's networks do")
    for line in lines[2:]:
        kind, name, *rest = (*line.split(), "", "")
        if kind and kind not in _WEIGHTLESS:
            yield _Layer(kind, name, dict(one.split("=", 1) for one in rest if "=" in one))


def _convolution(layer: _Layer, mark: bytes, at: int) -> _Weights:
    """Raises ValueError for sizes that contradict one another, or weights packed in fewer bits."""
    out, kernel, count = layer.number(_COUNT), layer.number(_KERNEL), layer.number(_SIZE)
    taps = out * kernel * kernel
    if not taps or count % taps:
        raise ValueError(f"{layer.name} has {count:,} weights, for {out} channels of {kernel}x{kernel}")
    known = _MARKS.get(struct.unpack("<I", mark)[0]) if len(mark) == _WORD else None
    if known is None:
        raise ValueError(f"the weights of {layer.name} are neither float32 nor float16")
    weight = _placed(known[0], (out, count // taps, kernel, kernel), at + _WORD)
    start = at + _WORD + _padded(count * known[1])
    return _Weights(layer, weight, _placed("F32", (out,), start) if layer.number(_BIAS, 0) else None)


def _named(found: Sequence[_Weights], text: Path) -> Iterator[tuple[str, PlacedTensor]]:
    names = _compact_names(found) if any(one.layer.type == "PReLU" for one in found) else _esrgan_names(found)
    if names is None:
        raise BadValue(f"{text} is neither an ESRGAN nor a Compact network: only these are read")
    for name, one in zip(names, found, strict=True):
        yield f"{name}.weight", one.weight
        if one.bias:
            yield f"{name}.bias", one.bias


def _compact_names(found: Sequence[_Weights]) -> list[str] | None:
    """Convolutions and slopes in turn, from three colours to the pixels of a square."""
    turns = ["Convolution" if index % 2 == 0 else "PReLU" for index in range(len(found))]
    if [one.layer.type for one in found] != turns or len(found) % 2 == 0:
        return None
    convolutions = [one.weight.shape for one in found[::2]]
    fits = all(after[1] == before[0] for before, after in pairwise(convolutions))
    return [f"body.{index}" for index in range(len(found))] if fits and convolutions[0][1] == 3 else None


def _esrgan_names(found: Sequence[_Weights]) -> list[str] | None:
    """Blocks of dense branches: each convolution sees what the branch entered with and all before it."""
    blocks, left = divmod(len(found) - len(_TRUNK) - len(_TAIL), _BRANCHES * _CONVOLUTIONS)
    if left or blocks < 1:
        return None
    width, growth = found[0].weight.shape[0], found[1].weight.shape[0]
    inner = found[len(_TRUNK) : -len(_TAIL)]
    entered = [width + growth * (index % _CONVOLUTIONS) for index in range(len(inner))]
    if [one.weight.shape[1] for one in inner] != entered:
        return None
    dense = [
        f"body.{block}.rdb{branch}.conv{index}"
        for block in range(blocks)
        for branch in range(1, _BRANCHES + 1)
        for index in range(1, _CONVOLUTIONS + 1)
    ]
    return [*_TRUNK, *dense, *_TAIL]


def _placed(dtype: str, shape: tuple[int, ...], start: int) -> PlacedTensor:
    size = prod(shape) * (2 if dtype == "F16" else 4)
    strides = tuple(prod(shape[index + 1 :]) for index in range(len(shape)))
    return PlacedTensor(dtype, shape, strides, 0, Member(start, size, 0))


def _end(one: _Weights) -> int:
    last = one.bias or one.weight
    return last.storage.start + _padded(last.storage.size)


def _padded(size: int) -> int:
    return -(-size // _WORD) * _WORD
