"""The header of a GGUF file: ComfyUI-GGUF's and stable-diffusion.cpp's quantised models, llama.cpp's text encoders.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from collections.abc import Iterator, Mapping
from math import prod
from operator import attrgetter
from pathlib import Path
from struct import Struct, error
from typing import BinaryIO

from modelhub.errors import BrokenFile, UnsafeFile
from modelhub.headers._table import TensorEntry, TensorTable

__all__ = ["BLOCKS", "MAGIC", "read_gguf_table"]

MAGIC = b"GGUF"
BLOCKS = {
    0: ("F32", 1, 4),
    1: ("F16", 1, 2),
    2: ("Q4_0", 32, 18),
    3: ("Q4_1", 32, 20),
    6: ("Q5_0", 32, 22),
    7: ("Q5_1", 32, 24),
    8: ("Q8_0", 32, 34),
    9: ("Q8_1", 32, 40),
    10: ("Q2_K", 256, 84),
    11: ("Q3_K", 256, 110),
    12: ("Q4_K", 256, 144),
    13: ("Q5_K", 256, 176),
    14: ("Q6_K", 256, 210),
    15: ("Q8_K", 256, 292),
    16: ("IQ2_XXS", 256, 66),
    17: ("IQ2_XS", 256, 74),
    18: ("IQ3_XXS", 256, 98),
    19: ("IQ1_S", 256, 50),
    20: ("IQ4_NL", 32, 18),
    21: ("IQ3_S", 256, 110),
    22: ("IQ2_S", 256, 82),
    23: ("IQ4_XS", 256, 136),
    24: ("I8", 1, 1),
    25: ("I16", 1, 2),
    26: ("I32", 1, 4),
    27: ("I64", 1, 8),
    28: ("F64", 1, 8),
    29: ("IQ1_M", 256, 56),
    30: ("BF16", 1, 2),
    34: ("TQ1_0", 256, 54),
    35: ("TQ2_0", 256, 66),
    39: ("MXFP4", 32, 17),
    40: ("NVFP4", 64, 36),
    41: ("Q1_0", 128, 18),
}
"""Number of a type in the file -> its name, numbers in a block, bytes of a block."""

_WINDOWS = (1 << 20, 1 << 25)
"""Bytes: what most headers fit in, then the most that one may have (vocabularies take some 10 MB)."""
_MAX_KEYS = 100_000
_MAX_TENSORS = 100_000
_MAX_NAME = 1024
_MAX_TEXT = 4096
"""Bytes: longer texts (chat templates, licences) are left out of the metadata."""
_MAX_DIMENSIONS = 4
_MAX_REAL_DIMENSIONS = 8
_MAX_ALIGNMENT = 1 << 20
_SHAPE = "comfy.gguf.orig_shape."
"""ComfyUI-GGUF's converter lays some convolutions out in rows of 256; under this key stand their real shapes."""

_SCALARS = {number: Struct("<" + code) for number, code in enumerate("BbHhIif?")}
_SCALARS |= {number: Struct("<" + code) for number, code in ((10, "Q"), (11, "q"), (12, "d"))}
_INT, _BOOL, _TEXT, _ARRAY = 5, 7, 8, 9
_COUNT = Struct("<Q")
_KIND = Struct("<I")
_PLACE = Struct("<IQ")
_DIMENSIONS = [Struct(f"<{count}Q") for count in range(_MAX_DIMENSIONS + 1)]


def read_gguf_table(path: Path, file: BinaryIO) -> TensorTable:
    """The tensor table of an open GGUF file, shapes in torch's order.

    Raises `UnsafeFile` for a version that is not read, and `BrokenFile` for a header that contradicts itself or
    the file's size.
    """
    size = file.seek(0, 2)
    for window in _WINDOWS:
        file.seek(0)
        header = file.read(window)
        try:
            return _Reader(path, header).table(size)
        except (error, OverflowError):
            if window >= size:
                reason = f"truncated inside its header ({size:,} bytes)"
                raise BrokenFile(path, reason, mend="download it again") from None
    raise BrokenFile(path, f"its header is longer than the {_WINDOWS[-1]:,} bytes allowed")


class _Reader:
    """Walks through a header's bytes; raises `struct.error` where they end."""

    def __init__(self, path: Path, header: bytes) -> None:
        self._path = path
        self._header = header
        self._at = len(MAGIC)
        self._metadata: dict[str, str] = {}
        self._shapes: dict[str, tuple[int, ...]] = {}

    def table(self, file_size: int) -> TensorTable:
        self._check_version()
        tensors, keys = self._number(_COUNT), self._number(_COUNT)
        if tensors > _MAX_TENSORS or keys > _MAX_KEYS:
            raise self._broken(f"it claims {tensors:,} tensors and {keys:,} keys, more than {_MAX_TENSORS:,} allowed")
        self._read_keys(keys)
        entries = dict(self._entries(tensors))
        if len(entries) != tensors:
            raise self._broken("its header names a tensor twice, so readers would disagree on it")
        alignment = self._alignment()
        data_start = self._at + -self._at % alignment
        self._check_layout(entries, alignment, file_size - data_start)
        return TensorTable(entries, self._metadata, data_start=data_start, container="gguf")

    def _check_version(self) -> None:
        version = self._number(_KIND)
        if version in (1 << 24, 2 << 24, 3 << 24):
            raise UnsafeFile(f"{self._path} is a big-endian GGUF file", mend="ask for a little-endian one")
        if version not in (2, 3):
            raise UnsafeFile(f"{self._path} is a GGUF file of version {version}; 2 and 3 are read")

    def _read_keys(self, count: int) -> None:
        seen = set()
        for _ in range(count):
            key = self._name("key")
            if key in seen:
                raise self._broken(f"its header has the key {key!r} twice, so readers would disagree on it")
            seen.add(key)
            self._read_value(key, self._number(_KIND))

    def _read_value(self, key: str, kind: int) -> None:
        if kind == _ARRAY:
            self._read_array(key)
        elif kind == _TEXT:
            text = self._bytes(self._number(_COUNT))
            if len(text) <= _MAX_TEXT:
                self._metadata[key] = text.decode(errors="replace")
        else:
            value = self._number(self._scalar(key, kind))
            self._metadata[key] = str(bool(value)).lower() if kind == _BOOL else str(value)

    def _read_array(self, key: str) -> None:
        """Tokens and their scores are passed over; the shapes of tensors are kept."""
        kind, count = self._number(_KIND), self._number(_COUNT)
        if kind == _TEXT:
            self._skip_texts(count)
        elif kind == _INT and key.startswith(_SHAPE) and 0 < count <= _MAX_REAL_DIMENSIONS:
            self._shapes[key.removeprefix(_SHAPE)] = self._numbers(Struct(f"<{count}i"))
        else:
            self._skip(count * self._scalar(key, kind).size)

    def _skip_texts(self, count: int) -> None:
        header, at, number = self._header, self._at, _COUNT.unpack_from
        for _ in range(count):
            at += 8 + number(header, at)[0]
        self._skip(at - self._at)

    def _entries(self, count: int) -> Iterator[tuple[str, TensorEntry]]:
        for _ in range(count):
            name, dimensions = self._name("tensor's name"), self._number(_KIND)
            if dimensions > _MAX_DIMENSIONS:
                raise self._broken(f"tensor {name!r} has {dimensions} dimensions, more than {_MAX_DIMENSIONS}")
            lengths = self._numbers(_DIMENSIONS[dimensions])
            kind, start = self._numbers(_PLACE)
            yield name, self._entry(name, lengths, kind, start)

    def _entry(self, name: str, lengths: tuple[int, ...], kind: int, start: int) -> TensorEntry:
        if kind not in BLOCKS:
            raise self._broken(f"tensor {name!r} has the unknown type {kind}")
        dtype, numbers, size = BLOCKS[kind]
        row = lengths[0] if lengths else 1
        if row % numbers:
            raise self._broken(f"rows of tensor {name!r} have {row} numbers, no multiple of {dtype}'s {numbers}")
        shape = self._shapes.get(name, lengths[::-1])
        if prod(shape) != prod(lengths) or min(shape, default=0) < 0:
            raise self._broken(f"tensor {name!r} is said to have the shape {shape}, and holds {prod(lengths)} numbers")
        return TensorEntry(dtype, shape, (start, start + prod(lengths) // numbers * size))

    def _alignment(self) -> int:
        said = self._metadata.get("general.alignment", "32")
        if not said.isdecimal() or not 0 < int(said) <= _MAX_ALIGNMENT:
            raise self._broken(f"its tensors are aligned to {said[:20]!r}")
        return int(said)

    def _check_layout(self, entries: Mapping[str, TensorEntry], alignment: int, data_size: int) -> None:
        position = 0
        for entry in sorted(entries.values(), key=attrgetter("start", "end")):
            if entry.start < position or entry.start % alignment:
                raise self._broken(f"its tensors overlap or are out of line at byte {entry.start:,}")
            position = entry.end
        if position > data_size:
            reason = f"truncated: its tensors need {position:,} bytes, the file has {max(data_size, 0):,}"
            raise BrokenFile(self._path, reason, mend="download it again")

    def _name(self, what: str) -> str:
        length = self._number(_COUNT)
        if length > _MAX_NAME:
            raise self._broken(f"a {what} has {length:,} bytes")
        try:
            return self._bytes(length).decode()
        except UnicodeDecodeError:
            raise self._broken(f"a {what} is no Unicode") from None

    def _scalar(self, key: str, kind: int) -> Struct:
        if kind not in _SCALARS:
            raise self._broken(f"its key {key!r} has a value of the unknown type {kind}")
        return _SCALARS[kind]

    def _number(self, form: Struct) -> int:
        number: int = self._numbers(form)[0]
        return number

    def _numbers(self, form: Struct) -> tuple[int, ...]:
        found = form.unpack_from(self._header, self._at)
        self._at += form.size
        return found

    def _bytes(self, count: int) -> bytes:
        self._skip(count)
        return self._header[self._at - count : self._at]

    def _skip(self, count: int) -> None:
        self._at += count
        if self._at > len(self._header):
            raise error("the header ends")

    def _broken(self, reason: str) -> BrokenFile:
        return BrokenFile(self._path, reason)
