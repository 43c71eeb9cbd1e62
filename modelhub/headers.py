"""Reads a weight file's tensor table, never its weights, and believes nothing it has not checked.

The safetensors library accepts duplicate tensor names, unknown fields and leading white space, on which
two readers can disagree; this reader refuses them (format: https://github.com/huggingface/safetensors#format).
"""

import hashlib
import json
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from modelhub.errors import BrokenFile, MissingFile, UnsafeFile

__all__ = ["MAX_HEADER", "TensorEntry", "TensorTable", "data_digest", "read_table", "write_table"]

MAX_HEADER = 100_000_000
"""Bytes; the format's own limit."""

_MAX_NAME = 1024
_MAX_DIMENSIONS = 16
"""More would only serve to make the product of their lengths slow to compute."""
_BITS = {
    "BOOL": 8,
    "U8": 8,
    "I8": 8,
    "F8_E4M3": 8,
    "F8_E5M2": 8,
    "F8_E8M0": 8,
    "I16": 16,
    "U16": 16,
    "F16": 16,
    "BF16": 16,
    "I32": 32,
    "U32": 32,
    "F32": 32,
    "I64": 64,
    "U64": 64,
    "F64": 64,
    "C64": 64,
    "F4": 4,
    "F6_E2M3": 6,
    "F6_E3M2": 6,
}
_MAGICS = {b"PK\x03\x04": "a zip archive (a pickled checkpoint, perhaps)", b"GGUF": "a GGUF file"}


@dataclass(frozen=True, slots=True)
class TensorEntry:
    """One row of the table."""

    dtype: str
    """As the format spells it: ``F16``, ``BF16``, ``F32``, ..."""
    shape: tuple[int, ...]
    start: int
    end: int
    """Bytes, counted from the end of the header."""


@dataclass(frozen=True, slots=True)
class TensorTable:
    """What a file's header says, checked against the file's size."""

    tensors: Mapping[str, TensorEntry]
    """In the order of the header."""
    metadata: Mapping[str, str]
    """``__metadata__``: text by strangers."""
    data_start: int = 0
    """Byte at which the tensors begin."""

    def shape(self, name: str) -> tuple[int, ...] | None:
        """The shape of a tensor, or None when the file has none of that name."""
        entry = self.tensors.get(name)
        return entry.shape if entry else None


def read_table(path: Path) -> TensorTable:
    """The tensor table of a safetensors file.

    Raises `MissingFile`, `UnsafeFile` for what is no safetensors file at all, and `BrokenFile` for one whose
    header contradicts itself or the file's size (a truncated download, say).
    """
    try:
        with path.open("rb") as file:
            file_size = file.seek(0, 2)
            file.seek(0)
            header = _read_header(path, file, file_size)
    except FileNotFoundError:
        raise MissingFile(f"{path}: there is no such file") from None
    except IsADirectoryError:
        raise MissingFile(f"{path} is a folder, not a weight file") from None
    return _checked(path, header, file_size)


def data_digest(path: Path, table: TensorTable) -> str:
    """SHA-256 over the tensors alone, as hex: it survives edits of the metadata (kohya's ``sshs_model_hash``)."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        file.seek(table.data_start)
        while block := file.read(1 << 22):
            digest.update(block)
    return digest.hexdigest()


def write_table(
    file: BinaryIO, tensors: Iterable[tuple[str, str, tuple[int, ...], memoryview]], metadata: Mapping[str, str]
) -> None:
    """Write a safetensors file of (name, dtype, shape, bytes) rows, the same bytes for the same content.

    The library writes metadata in random order, so equal content gets unequal digests; here the order is fixed:
    metadata sorted, tensors by name.
    """
    rows = sorted(tensors, key=lambda row: row[0])
    header: dict[str, object] = {}
    if metadata:
        header["__metadata__"] = dict(sorted(metadata.items()))
    offset = 0
    for name, dtype, shape, data in rows:
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [offset, offset + data.nbytes]}
        offset += data.nbytes
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    file.write(struct.pack("<Q", len(text)))
    file.write(text)
    for _, _, _, data in rows:
        file.write(data)


def _read_header(path: Path, file: BinaryIO, file_size: int) -> bytes:
    prefix = file.read(9)
    for magic, what in _MAGICS.items():
        if prefix.startswith(magic):
            raise UnsafeFile(f"{path} is {what}, not a safetensors file")
    if prefix[:1] == b"\x80" and prefix[1:2] in b"\x02\x03\x04\x05" and prefix[8:9] != b"{":
        raise UnsafeFile(f"{path} is a pickle, which can run code when it is loaded; ask for a safetensors file")
    if len(prefix) < 9:
        raise BrokenFile(path, f"{file_size} bytes are too few for a safetensors file", mend="download it again")
    size: int = struct.unpack("<Q", prefix[:8])[0]
    if prefix[8:9] != b"{":
        raise UnsafeFile(f"{path} is no safetensors file: its header does not begin with {{")
    if size > MAX_HEADER:
        raise BrokenFile(path, f"its header claims {size:,} bytes, more than the {MAX_HEADER:,} allowed")
    if 8 + size > file_size:
        raise BrokenFile(
            path,
            f"truncated inside its header ({file_size:,} bytes of at least {8 + size:,})",
            mend="download it again",
        )
    return prefix[8:] + file.read(size - 1)


def _checked(path: Path, header: bytes, file_size: int) -> TensorTable:
    def without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise BrokenFile(path, "its header names the same thing twice, so readers would disagree on it")
        return found

    try:
        fields = json.loads(header.decode(), object_pairs_hook=without_duplicates)
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise BrokenFile(path, f"its header is not JSON ({type(error).__name__})") from None
    metadata = fields.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise BrokenFile(path, "its metadata is not a map from text to text")
    _check_text(path, (*fields, *metadata, *metadata.values()))
    tensors = {name: _entry(path, name, row) for name, row in fields.items()}
    data_start = 8 + len(header)
    _check_layout(path, tensors, file_size - data_start)
    return TensorTable(tensors, metadata, data_start)


def _check_text(path: Path, texts: Iterable[str]) -> None:
    """JSON can spell half a character, which no database and no terminal takes."""
    try:
        "".join(texts).encode()
    except UnicodeEncodeError:
        raise BrokenFile(path, "its header holds text that is no Unicode") from None


def _entry(path: Path, name: str, row: object) -> TensorEntry:
    if len(name) > _MAX_NAME:
        raise BrokenFile(path, f"a tensor's name has {len(name):,} characters")
    if not isinstance(row, dict) or row.keys() != {"dtype", "shape", "data_offsets"}:
        raise BrokenFile(path, f"the row of tensor {name!r} has not the fields dtype, shape, data_offsets")
    dtype, shape, offsets = row["dtype"], row["shape"], row["data_offsets"]
    if not isinstance(dtype, str) or dtype not in _BITS:
        raise BrokenFile(path, f"tensor {name!r} has the unknown type {dtype!r}")
    if not _counts(shape) or not _counts(offsets) or len(offsets) != 2 or len(shape) > _MAX_DIMENSIONS:
        raise BrokenFile(path, f"tensor {name!r} has a shape or an offset that is no count")
    bits = _BITS[dtype]
    for length in shape:
        bits *= length
    start, end = offsets
    if bits != 8 * (end - start):
        raise BrokenFile(path, f"tensor {name!r} spans {end - start} bytes, its shape {tuple(shape)} needs {bits // 8}")
    return TensorEntry(dtype, tuple(shape), start, end)


def _counts(value: object) -> bool:
    return isinstance(value, list) and all(type(one) is int and 0 <= one < 1 << 63 for one in value)


def _check_layout(path: Path, tensors: Mapping[str, TensorEntry], data_size: int) -> None:
    position = 0
    for entry in sorted(tensors.values(), key=lambda entry: (entry.start, entry.end)):
        if entry.start != position:
            raise BrokenFile(path, f"its tensors overlap or leave a hole at byte {min(entry.start, position)}")
        position = entry.end
    if position > data_size:
        raise BrokenFile(
            path,
            f"truncated: its tensors need {position:,} bytes, the file has {data_size:,}",
            mend="download it again",
        )
    if position < data_size:
        raise BrokenFile(path, f"{data_size - position:,} bytes stand behind its last tensor")
