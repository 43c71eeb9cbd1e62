"""The JSON of a safetensors header -> rows and metadata, in one of two ways that agree.

Nearly every header is spelled plainly and decoded straight into typed rows. That decoder lets the last of two
equal names win, so the quotation marks are counted: every row, also one that lost, has a name, three fields and a
type between them. Ten marks for each row that is left prove that nothing stands there twice. Whatever does not
count up, or is no table of rows at all, is left to the exact way, which decides.
"""

import json
import re
from pathlib import Path
from typing import Any

import msgspec

from modelhub.errors import BrokenFile
from modelhub.headers._table import TensorEntry

__all__ = ["read_exact_rows", "read_metadata", "read_plain_rows", "read_rows"]

_KEY = "__metadata__"
_QUOTES = 10
"""In a row: around its name, its three fields and its type."""
_MAX_ROWS = 25_000_000
"""Bytes of a header without its metadata: some 200,000 tensors, ten times what the largest models have."""
_MAX_EXACT = 4_000_000
"""Bytes that are read in the exact way, which takes thirty times as much memory."""
_MAX_METADATA = 100_000
"""Entries."""


_ROWS = msgspec.json.Decoder(dict[str, TensorEntry])
_METADATA = re.compile(rb'"%b"\s*:\s*(\{(?:[^"{}]|"[^"\\]*+(?:\\.[^"\\]*+)*+")*+\})' % _KEY.encode(), re.DOTALL)
"""A flat object under that key, and no part of one; every quantifier is possessive, so it looks at nothing twice."""
_FLAT = msgspec.json.Decoder(dict[str, str])
_TWICE = "names the same thing twice, so readers would disagree on it"
_EMPTY = b'{"dtype":"U8","shape":[0],"data_offsets":[0,0]}'


def read_rows(path: Path, header: bytes) -> tuple[dict[str, TensorEntry], bytes]:
    """The rows by name, and the metadata as the JSON that `read_metadata` takes."""
    return read_plain_rows(path, header) or read_exact_rows(path, header)


def read_metadata(path: Path, text: bytes) -> dict[str, str]:
    """The metadata: text to text, and no key twice, which again the quotation marks tell."""
    marks = text.count(b'"') - text.replace(b"\\\\", b"").count(b'\\"')
    if marks > 4 * _MAX_METADATA:
        raise BrokenFile(path, f"its metadata has more than the {_MAX_METADATA:,} entries allowed")
    try:
        found = _FLAT.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BrokenFile(path, "its metadata is not a map from text to text") from None
    if marks != 4 * len(found):
        raise BrokenFile(path, f"its metadata {_TWICE}")
    return found


def read_plain_rows(path: Path, header: bytes) -> tuple[dict[str, TensorEntry], bytes] | None:
    """None unless counting proves that nothing stands in the header twice."""
    try:
        table, metadata = _apart(header)
        if len(table) > _MAX_ROWS:
            raise BrokenFile(
                path, f"its tensors take {len(table):,} bytes of header, more than the {_MAX_ROWS:,} allowed"
            )
        rows = _ROWS.decode(table)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    marks = _QUOTES * len(rows)
    was_apart = (rows.pop(_KEY, None) is not None) == bool(metadata)
    if table.count(b'"') != marks or not was_apart:
        return None
    return rows, metadata or b"{}"


def _apart(header: bytes) -> tuple[bytes, bytes]:
    """The header with an empty tensor in the place of its metadata, and the metadata; empty where it has none."""
    key = header.find(f'"{_KEY}"'.encode())
    found = _METADATA.match(header, key) if key >= 0 else None
    if found is None:
        return header, b""
    start, end = found.span(1)
    return header[:start] + _EMPTY + header[end:], header[start:end]


def read_exact_rows(path: Path, header: bytes) -> tuple[dict[str, TensorEntry], bytes]:
    """Sees every name, however it is spelled."""
    if len(header) > _MAX_EXACT:
        raise BrokenFile(path, f"its header of {len(header):,} bytes is not a plain table of tensors")
    fields = _load(path, header)
    metadata = json.dumps(fields.pop(_KEY, {})).encode()
    return {name: _row(path, name, row) for name, row in fields.items()}, metadata


def _load(path: Path, text: bytes) -> dict[str, Any]:
    def without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise BrokenFile(path, f"its header {_TWICE}")
        return found

    try:
        found: dict[str, Any] = json.loads(text.decode(), object_pairs_hook=without_duplicates)
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise BrokenFile(path, f"its header is not JSON ({type(error).__name__})") from None
    return found


def _row(path: Path, name: str, row: object) -> TensorEntry:
    try:
        name.encode()  # JSON can spell half a character, which no database and no terminal takes
        return msgspec.convert(row, TensorEntry)
    except UnicodeEncodeError:
        raise BrokenFile(path, "its header holds text that is no Unicode") from None
    except msgspec.ValidationError as error:
        reason = str(error)[:200]
        raise BrokenFile(path, f"tensor {name[:200]!a} is not dtype, shape and data_offsets: {reason!a}") from None
