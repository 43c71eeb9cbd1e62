"""The safetensors header, strictly.

The safetensors library accepts duplicate tensor names, unknown fields and leading white space, on which
two readers can disagree; this reader refuses them (format: https://github.com/huggingface/safetensors#format).
"""

import hashlib
import json
import struct
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from modelhub.errors import BrokenFile, UnsafeFile
from modelhub.headers._rows import read_metadata, read_rows
from modelhub.headers._table import TensorEntry, TensorTable

__all__ = ["MAX_HEADER", "data_digest", "read_safetensors", "write_outline", "write_table"]

MAX_HEADER = 100_000_000
"""Bytes; the format's own limit."""

_MAX_NAME = 1024
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


def read_safetensors(path: Path, file: BinaryIO) -> TensorTable:
    """The tensor table of an open safetensors file.

    Raises `UnsafeFile` for what is no safetensors file at all, and `BrokenFile` for one whose header contradicts
    itself or the file's size (a truncated download, say).
    """
    file_size = file.seek(0, 2)
    file.seek(0)
    return _checked(path, _read_header(path, file, file_size), file_size)


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
    rows = {name: (dtype, shape, data) for name, dtype, shape, data in tensors}
    outline = [(name, dtype, shape, data.nbytes) for name, (dtype, shape, data) in rows.items()]
    for name in write_outline(file, outline, metadata):
        file.write(rows[name][2])


def write_outline(
    file: BinaryIO, outline: Iterable[tuple[str, str, tuple[int, ...], int]], metadata: Mapping[str, str]
) -> Iterator[str]:
    """Write the header of (name, dtype, shape, size in bytes) rows, then name each tensor when its bytes are due.

    So a file may be larger than the memory. The order is that of `write_table`.
    """
    header: dict[str, object] = {}
    if metadata:
        header["__metadata__"] = dict(sorted(metadata.items()))
    offset = 0
    for name, dtype, shape, size in (rows := sorted(outline)):
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    file.write(struct.pack("<Q", len(text)))
    file.write(text)
    yield from (row[0] for row in rows)


def _read_header(path: Path, file: BinaryIO, file_size: int) -> bytes:
    prefix = file.read(9)
    if len(prefix) < 9:
        raise BrokenFile(path, f"{file_size} bytes are too few for a safetensors file", mend="download it again")
    size: int = struct.unpack("<Q", prefix[:8])[0]
    if prefix[8:9] != b"{":
        raise UnsafeFile(f"{path} is no model that is read (safetensors, GGUF, torch's pickles): it begins {prefix!r}")
    if size > MAX_HEADER:
        raise BrokenFile(path, f"its header claims {size:,} bytes, more than the {MAX_HEADER:,} allowed")
    if 8 + size > file_size:
        raise BrokenFile(
            path,
            f"truncated inside its header ({file_size:,} bytes of at least {8 + size:,})",
            mend="download it again",
        )
    file.seek(8)
    return file.read(size)


def _checked(path: Path, header: bytes, file_size: int) -> TensorTable:
    tensors, metadata = read_rows(path, header)
    data_start = 8 + len(header)
    del header  # metadata may be all of it, and need its memory
    end = _checked_sizes(path, tensors)
    _check_end(path, _checked_layout(path, tensors) if end is None else end, file_size - data_start)
    return TensorTable(tensors, read_metadata(path, metadata), data_start=data_start)


def _checked_sizes(path: Path, tensors: Mapping[str, TensorEntry]) -> int | None:
    """Byte at which the last tensor ends when each begins where the one before it ends, as writers order them.

    One plain loop: it runs over every tensor of every file of a collection.
    """
    longest = max(map(len, tensors), default=0)
    if longest > _MAX_NAME:
        raise BrokenFile(path, f"a tensor's name has {longest:,} characters")
    position, in_order = 0, True
    for name, entry in tensors.items():
        bits = _BITS.get(entry.dtype)
        if bits is None:
            raise BrokenFile(path, f"tensor {name!r} has the unknown type {entry.dtype[:20]!r}")
        for length in entry.shape:
            bits *= length
        start, end = entry.span
        if bits != 8 * (end - start):
            needs = f"its shape {entry.shape} needs {bits / 8:g}"
            raise BrokenFile(path, f"tensor {name!r} spans {end - start} bytes, {needs}")
        if start != position:
            in_order = False
        position = end
    return position if in_order else None


def _checked_layout(path: Path, tensors: Mapping[str, TensorEntry]) -> int:
    """Byte at which the last tensor ends, whatever their order."""
    position = 0
    for start, end in sorted([entry.span for entry in tensors.values()]):
        if start != position:
            raise BrokenFile(path, f"its tensors overlap or leave a hole at byte {min(start, position)}")
        position = end
    return position


def _check_end(path: Path, end: int, data_size: int) -> None:
    if end > data_size:
        raise BrokenFile(
            path,
            f"truncated: its tensors need {end:,} bytes, the file has {data_size:,}",
            mend="download it again",
        )
    if end < data_size:
        raise BrokenFile(path, f"{data_size - end:,} bytes stand behind its last tensor")
