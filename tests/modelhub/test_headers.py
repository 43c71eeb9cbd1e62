"""The reader takes what the format allows, and refuses whatever two readers could understand differently."""

import contextlib
import io
import json
import pickle
import struct
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelhub.errors import BrokenFile, MissingFile, UnsafeFile
from modelhub.headers import MAX_HEADER, data_digest, read_table, write_table
from tests import tables

ROW: dict[str, Any] = {"dtype": "F16", "shape": [2], "data_offsets": [0, 4]}


def raw(header: bytes, body: bytes = b"") -> bytes:
    return struct.pack("<Q", len(header)) + header + body


def spelled(header: object, body: bytes = b"") -> bytes:
    return raw(json.dumps(header).encode(), body)


def zipped() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("archive/data.pkl", b"")
    return buffer.getvalue()


BROKEN = {
    "empty": b"",
    "a few bytes": b"\x10\x00\x00",
    "truncated in its header": raw(b'{"a": 1}')[:12],
    "a header that claims gigabytes": struct.pack("<Q", MAX_HEADER + 1) + b"{}",
    "no JSON": raw(b"{nonsense}"),
    "no UTF-8": raw(b'{"\xff": 1}'),
    "deep JSON": raw(b'{"a":' * 100_000),
    "truncated tensors": spelled({"a": ROW}, b"123"),
    "trailing bytes": spelled({"a": ROW}, b"12345"),
    "a tensor named twice": raw(b'{"a": %b, "a": %b}' % ((json.dumps(ROW).encode(),) * 2), b"1234"),
    "overlapping tensors": spelled({"a": ROW, "b": {**ROW, "data_offsets": [2, 6]}}, b"123456"),
    "a hole": spelled({"a": ROW, "b": {**ROW, "data_offsets": [6, 10]}}, bytes(10)),
    "a hole at the start": spelled({"a": {**ROW, "data_offsets": [2, 6]}}, bytes(6)),
    "a span that is not its shape's": spelled({"a": {**ROW, "shape": [3]}}, b"1234"),
    "a negative length": spelled({"a": {**ROW, "shape": [-2]}}, b"1234"),
    "a fraction": spelled({"a": {**ROW, "shape": [2.0]}}, b"1234"),
    "a truth for a length": spelled({"a": {**ROW, "shape": [True, 2]}}, b"1234"),
    "endless dimensions": spelled({"a": {**ROW, "shape": [2**60] * 1000}}, b"1234"),
    "three offsets": spelled({"a": {**ROW, "data_offsets": [0, 4, 8]}}, b"1234"),
    "an unknown type": spelled({"a": {**ROW, "dtype": "Q4"}}, b"1234"),
    "a type that is no text": spelled({"a": {**ROW, "dtype": 16}}, b"1234"),
    "an unknown field": spelled({"a": {**ROW, "extra": 1}}, b"1234"),
    "a row that is no map": spelled({"a": [1]}, b""),
    "a name without end": spelled({"a" * 2000: ROW}, b"1234"),
    "metadata that is no text": spelled({"__metadata__": {"a": 1}}, b""),
    "metadata that is a list": spelled({"__metadata__": ["a"]}, b""),
    "half a character": raw(b'{"__metadata__": {"a": "\\ud800"}}'),
}
UNSAFE = {
    "a zip": zipped(),
    "a pickle": pickle.dumps({"state_dict": {"weight": 1.0}}, protocol=2),
    "a long pickle": pickle.dumps(["weight"] * 1000, protocol=4),
    "GGUF": b"GGUF" + bytes(64),
    "a web page": b"<!DOCTYPE html><html></html>",
    "white space before the header": raw(b" {}"),
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_a_file_that_contradicts_itself_is_broken(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    with pytest.raises(BrokenFile, match=r"model\.safetensors"):
        read_table(path)


@pytest.mark.parametrize("content", UNSAFE.values(), ids=UNSAFE)
def test_what_is_no_safetensors_file_is_refused_unread(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    with pytest.raises(UnsafeFile):
        read_table(path)


def test_a_missing_file_and_a_folder_are_told_apart_from_broken_ones(tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match="no such file"):
        read_table(tmp_path / "none.safetensors")
    with pytest.raises(MissingFile, match="folder"):
        read_table(tmp_path)


def test_a_table_says_what_was_written(tmp_path: Path) -> None:
    path = tables.write(tmp_path / "a.safetensors", {"b": (2, 3), "a": ()}, {"key": "价值"})
    table = read_table(path)
    assert {name: entry.shape for name, entry in table.tensors.items()} == {"a": (), "b": (2, 3)}
    assert table.metadata == {"key": "价值"}
    assert table.data_start + 14 == path.stat().st_size


def test_a_missing_tensor_has_no_shape(tmp_path: Path) -> None:
    table = read_table(tables.write(tmp_path / "a.safetensors", {"a": (2,)}))
    assert (table.shape("a"), table.shape("b")) == ((2,), None)


def test_tensors_of_no_size_may_share_a_place(tmp_path: Path) -> None:
    path = tables.write(tmp_path / "a.safetensors", {"a": (0,), "b": (0, 4), "c": (1,)})
    assert len(read_table(path).tensors) == 3


def test_the_library_reads_what_we_write(tmp_path: Path) -> None:
    safetensors = pytest.importorskip("safetensors.numpy")
    path = tables.write(tmp_path / "a.safetensors", {"b": (2, 3), "a": (4,)}, {"k": "v"}, fill=60)
    assert {name: array.shape for name, array in safetensors.load_file(path).items()} == {"a": (4,), "b": (2, 3)}


def test_the_same_content_gives_the_same_bytes_in_whatever_order() -> None:
    rows = [("b", "F16", (1,), memoryview(b"12")), ("a", "F16", (1,), memoryview(b"34"))]
    files = [io.BytesIO(), io.BytesIO()]
    write_table(files[0], rows, {"x": "1", "y": "2"})
    write_table(files[1], rows[::-1], {"y": "2", "x": "1"})
    assert files[0].getvalue() == files[1].getvalue()


def test_the_digest_of_the_tensors_survives_other_metadata(tmp_path: Path) -> None:
    one = tables.write(tmp_path / "1.safetensors", {"a": (4,)}, fill=1)
    two = tables.write(tmp_path / "2.safetensors", {"a": (4,)}, {"title": "x"}, fill=1)
    other = tables.write(tmp_path / "3.safetensors", {"a": (4,)}, fill=2)
    digests = [data_digest(path, read_table(path)) for path in (one, two, other)]
    assert digests[0] == digests[1] != digests[2]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(position=st.integers(0, 400), byte=st.integers(0, 255), cut=st.integers(0, 400))
def test_a_damaged_file_is_read_or_refused_and_nothing_else(tmp_path: Path, position: int, byte: int, cut: int) -> None:
    path = tables.write(tmp_path / "a.safetensors", tables.tiny_lora(4), {"k": "v"})
    content = bytearray(path.read_bytes())
    content[position % len(content)] = byte
    path.write_bytes(content[: len(content) - cut % len(content)] if cut > 200 else content)
    with contextlib.suppress(BrokenFile, UnsafeFile):
        read_table(path)
