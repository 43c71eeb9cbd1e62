"""Pickled checkpoints, read inertly: torch's zip archives, its older files, bare pickles.

Nothing in the file is imported or called, whatever it asks for; see `_opcodes.py`.
"""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import BinaryIO

from modelhub.errors import BrokenFile, MissingFile, UnsafeFile
from modelhub.headers._machine import Truncated
from modelhub.headers._opcodes import Pickled, interpret
from modelhub.headers._stand_ins import ELEMENT, PickledTensor
from modelhub.headers._state_dict import find_state_dict
from modelhub.headers._table import TensorEntry, TensorTable
from modelhub.headers._zip import Member, read_member, read_members

__all__ = ["Member", "PickledWeights", "PlacedTensor", "STRANGERS", "read_pickle_table", "read_pickle_weights"]

STRANGERS = "pickle.strangers"
"""The metadata key of what a pickle would import, and perhaps call, if it were loaded."""

_MOST_STRANGERS = 20
_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
"""The first pickle of torch's files before 1.6 (torch/serialization.py)."""
_LEGACY_PROTOCOL = 1001
_MAX_PICKLE = 16 << 20
"""Bytes; the weights lie beside a checkpoint's pickle, not in it."""
_FIRST_LOOK = 256 << 10
"""Bytes: more than the pickle of most models."""
_MAX_DIMENSIONS = 16
_LENGTHS = 1 << 63


@dataclass(frozen=True, slots=True)
class PlacedTensor:
    """A tensor as a window on bytes of the file, checked against them."""

    dtype: str
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    """In elements, as torch counts them."""
    offset: int
    """Elements between the storage's first and the tensor's."""
    storage: Member
    """Where the storage lies in the file, and its sum."""

    @property
    def contiguous(self) -> bool:
        """Whether its elements lie one after another in their usual order."""
        wanted = 1
        for length, stride in zip(reversed(self.shape), reversed(self.strides), strict=True):
            if length != 1 and stride != wanted:
                return prod(self.shape) == 0
            wanted *= length
        return True

    @property
    def entry(self) -> TensorEntry:
        """Its row in the table: the span of its own bytes, or of its whole storage when they are strewn over it."""
        at, size = self.storage.start, self.storage.size
        if self.contiguous:
            size = prod(self.shape) * ELEMENT[self.dtype]
            at += self.offset * ELEMENT[self.dtype] if size else 0
        return TensorEntry(self.dtype, self.shape, (at, at + size))


@dataclass(frozen=True, slots=True)
class PickledWeights:
    """All of a pickled model that can be taken without running it."""

    tensors: Mapping[str, PlacedTensor]
    metadata: Mapping[str, str]
    """Plain values that stand with the tensors or beside them."""
    strangers: tuple[str, ...]
    """Dotted names that loading the file would import."""
    left_out: tuple[str, ...]
    """Keys of what is neither tensor nor text, and of what stands beside the weights."""


def read_pickle_table(path: Path, file: BinaryIO) -> TensorTable:
    """The tensor table of an open pickled file; raises `UnsafeFile` or `BrokenFile`."""
    weights = _read(path, file)
    strangers = {STRANGERS: " ".join(weights.strangers[:_MOST_STRANGERS])} if weights.strangers else {}
    return TensorTable(
        {name: tensor.entry for name, tensor in weights.tensors.items()},
        {**weights.metadata, **strangers},
        container="pickle",
    )


def read_pickle_weights(path: Path) -> PickledWeights:
    """Where every tensor of a pickled file lies; raises `MissingFile`, `UnsafeFile` or `BrokenFile`."""
    try:
        with path.open("rb") as file:
            return _read(path, file)
    except FileNotFoundError:
        raise MissingFile(f"{path}: there is no such file") from None


def _read(path: Path, file: BinaryIO) -> PickledWeights:
    file.seek(0)
    prefix = file.read(512)
    if prefix[257:262] == b"ustar":
        raise UnsafeFile(
            f"{path} is a tar archive; torch stopped writing such checkpoints in 2017",
            mend="load it with torch and save it as safetensors, if you trust where it comes from",
        )
    pickled, places = _zip(path, file) if prefix.startswith(b"PK") else _plain(path, file)
    found = find_state_dict(path, pickled.value)
    tensors = {name: _placed(path, name, tensor, places) for name, tensor in found.tensors.items()}
    return PickledWeights(tensors, found.texts, pickled.strangers, (*found.odd, *found.beside))


def _zip(path: Path, file: BinaryIO) -> tuple[Pickled, Mapping[str, Member]]:
    """What `torch.save` writes since 1.6: a pickle, and a member for each storage, in one folder."""
    members = read_members(path, file)
    folder = next(iter(members), "").partition("/")[0]
    pickle = members.get(f"{folder}/data.pkl")
    if pickle is None or not all(name.startswith(f"{folder}/") for name in members):
        raise UnsafeFile(f"{path} is a zip archive, but no model that torch saved")
    order = members.get(f"{folder}/byteorder")
    if order and (order.size > 16 or read_member(path, file, "byteorder", order) != b"little"):
        raise BrokenFile(path, "its numbers are big-endian")
    if pickle.size > _MAX_PICKLE:
        raise BrokenFile(path, f"its pickle has {pickle.size:,} bytes, more than the {_MAX_PICKLE:,} allowed")
    data = folder + "/data/"
    pickled = _interpreted(path, read_member(path, file, "data.pkl", pickle))
    return pickled, {name.removeprefix(data): member for name, member in members.items() if name.startswith(data)}


def _interpreted(path: Path, data: bytes) -> Pickled:
    pickled = interpret(path, data)
    if pickled.end != len(data):
        raise BrokenFile(path, "something stands behind the end of its pickle")
    return pickled


def _plain(path: Path, file: BinaryIO) -> tuple[Pickled, Mapping[str, Member]]:
    """A pickle that is the file's beginning, or all of it."""
    size = file.seek(0, 2)
    for window in (_FIRST_LOOK, _MAX_PICKLE):
        file.seek(0)
        data = file.read(window)
        try:
            first = interpret(path, data)
            if first.value == _LEGACY_MAGIC:
                return _legacy(path, file, data, first.end)
            break
        except Truncated:
            if window >= size:
                raise
    else:
        raise BrokenFile(path, f"its pickle has more than the {_MAX_PICKLE:,} bytes allowed")
    if first.end != size:
        raise BrokenFile(path, "something stands behind the end of its pickle")
    return first, {}


def _legacy(path: Path, file: BinaryIO, data: bytes, at: int) -> tuple[Pickled, Mapping[str, Member]]:
    """What `torch.save` wrote before 1.6: version, machine, pickle, names of storages, storages."""
    version = interpret(path, data, at)
    machine = interpret(path, data, version.end)
    if version.value != _LEGACY_PROTOCOL:
        raise BrokenFile(path, "it is in a version of torch's older format that was never in use")
    if not isinstance(machine.value, dict) or machine.value.get("little_endian") is not True:
        raise BrokenFile(path, "its numbers are big-endian")
    pickled = interpret(path, data, machine.end)
    keys = interpret(path, data, pickled.end)
    if not isinstance(keys.value, list) or not all(isinstance(key, str) for key in keys.value):
        raise BrokenFile(path, "its list of storages is damaged")
    return pickled, dict(_legacy_storages(path, file, pickled, keys))


def _legacy_storages(path: Path, file: BinaryIO, pickled: Pickled, keys: Pickled) -> Iterator[tuple[str, Member]]:
    """Each storage is its number of elements, then they."""
    size, at = file.seek(0, 2), keys.end
    assert isinstance(keys.value, list)
    for key in keys.value:
        storage = pickled.storages.get(key)
        file.seek(at)
        count = file.read(8)
        if storage is None or count != struct.pack("<q", storage.count):
            raise BrokenFile(path, f"its storage {key[:80]!a} is not as its pickle says", mend="download it again")
        at += 8
        yield key, Member(at, storage.count * ELEMENT[storage.dtype], 0)
        at += storage.count * ELEMENT[storage.dtype]
    if at != size:
        reason = f"its storages need {at:,} bytes, the file has {size:,}"
        raise BrokenFile(path, f"truncated: {reason}" if at > size else reason, mend="download it again")


def _placed(path: Path, name: str, tensor: PickledTensor, places: Mapping[str, Member]) -> PlacedTensor:
    storage = places.get(tensor.storage.key)
    if storage is None or storage.size != tensor.storage.count * ELEMENT[tensor.storage.dtype]:
        raise BrokenFile(path, f"the storage of tensor {name[:80]!a} is missing, or has another size than promised")
    shape, strides, offsets = _counts(tensor.shape), _counts(tensor.strides), _counts((tensor.offset,))
    if shape is None or strides is None or offsets is None:
        raise BrokenFile(path, f"tensor {name[:80]!a} has a shape or a place that is no count")
    if prod(length or 1 for length in shape) >= _LENGTHS:
        raise BrokenFile(path, f"tensor {name[:80]!a} has a shape that nothing can hold")
    offset = offsets[0]
    last = offset + sum((length - 1) * stride for length, stride in zip(shape, strides, strict=False))
    if len(shape) != len(strides) or (all(shape) and last >= storage.size // ELEMENT[tensor.dtype]):
        raise BrokenFile(path, f"tensor {name[:80]!a} reaches behind its storage")
    return PlacedTensor(tensor.dtype, shape, strides, offset, storage)


def _counts(value: object) -> tuple[int, ...] | None:
    if not isinstance(value, list | tuple) or len(value) > _MAX_DIMENSIONS:
        return None
    return tuple(value) if all(type(one) is int and 0 <= one < _LENGTHS for one in value) else None
