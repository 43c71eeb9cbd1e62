"""The reader takes what the format allows, and refuses whatever two readers could understand differently."""

import contextlib
import io
import json
import struct
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelhub.errors import BrokenFile, MissingFile, UnsafeFile
from modelhub.headers import MAX_HEADER, data_digest, read_table, write_table
from modelhub.headers._rows import read_exact_rows, read_metadata, read_plain_rows
from tests import tables

PATH = Path("model.safetensors")
ROW: dict[str, Any] = {"dtype": "F16", "shape": [2], "data_offsets": [0, 4]}


def raw(header: bytes, body: bytes = b"") -> bytes:
    return struct.pack("<Q", len(header)) + header + body


def spelled(header: object, body: bytes = b"") -> bytes:
    return raw(json.dumps(header).encode(), body)


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
    "an unknown type of no size": spelled({"a": {"dtype": "Q4", "shape": [0], "data_offsets": [0, 0]}}),
    "a tensor named twice, once in escapes": raw(
        rb'{"a": %b, "\u0061": %b}' % ((json.dumps(ROW).encode(),) * 2), b"1234"
    ),
    "a field named twice": raw(b'{"a": {"dtype":"F16","shape":[2],"shape":[2],"data_offsets":[0,4]}}', b"1234"),
    "a missing field": spelled({"a": {"dtype": "F16", "shape": [2]}}, b"1234"),
    "metadata named twice": raw(b'{"__metadata__": {}, "__metadata__": {}}'),
    "a key of the metadata named twice": raw(b'{"__metadata__": {"a": "1", "\\u0061": "2"}}'),
    "metadata that is no map": spelled({"__metadata__": None}),
    "a row under the metadata's name": spelled({"__metadata__": ROW}, b"1234"),
    "more lengths than a number holds": spelled({"a": {**ROW, "shape": [2**64]}}, b"1234"),
    "a type that is no text": spelled({"a": {**ROW, "dtype": 16}}, b"1234"),
    "an unknown field": spelled({"a": {**ROW, "extra": 1}}, b"1234"),
    "a row that is no map": spelled({"a": [1]}, b""),
    "a name without end": spelled({"a" * 2000: ROW}, b"1234"),
    "metadata that is no text": spelled({"__metadata__": {"a": 1}}, b""),
    "metadata that is a list": spelled({"__metadata__": ["a"]}, b""),
    "half a character": raw(b'{"__metadata__": {"a": "\\ud800"}}'),
}
UNSAFE = {
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


@pytest.mark.parametrize(
    ("content", "what", "mend"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:", "a Git LFS pointer", "git lfs pull"),
        (b"<!DOCTYPE html><html></html>", "a web page", "browser"),
    ],
    ids=["pointer", "page"],
)
def test_what_is_often_taken_for_a_model_is_told_by_name(tmp_path: Path, content: bytes, what: str, mend: str) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    with pytest.raises(UnsafeFile, match=what) as caught:
        read_table(path)
    assert mend in (caught.value.mend or "")


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


@pytest.mark.parametrize("length", [0x4B50, 0x280, 0x3C], ids=["PK", "a pickle", "a web page"])
def test_a_header_whose_length_spells_another_format_is_read(length: int, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(raw(b"{}".ljust(length)))
    assert read_table(path).tensors == {}


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
    whole, path = tmp_path / "whole.safetensors", tmp_path / "a.safetensors"
    if not whole.exists():
        tables.write(whole, tables.tiny_lora(4), {"k": "v"})
    content = bytearray(whole.read_bytes())
    content[position % len(content)] = byte
    path.write_bytes(content[: len(content) - cut % len(content)] if cut > 200 else content)
    with contextlib.suppress(BrokenFile, UnsafeFile):
        read_table(path)


SPELLINGS = {
    "as the library writes it": b'{"__metadata__":{"k":"a \\"b\\" \\u00e9"},"a":%b,"b":%b}',
    "metadata last": b'{"a":%b,"b":%b,"__metadata__":{"k":"v"}}',
    "escapes": b'{"__metadata__":{},"a":%b,"\\u0062":%b}',
    "no metadata": b'{"a":%b,"b":%b}',
    "white space": b'{ "a" : %b ,\n "__metadata__" :\t{ "__metadata__" : "{}" } , "b" : %b }   ',
    "metadata like a row": b'{"__metadata__":{"dtype":"U8","shape":"[0]","data_offsets":"[0,0]"},"a":%b,"b":%b}',
}


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS)
def test_usual_spellings_are_read_fast_and_rightly(spelling: bytes) -> None:
    header = spelling % tuple(json.dumps({**ROW, "data_offsets": [at, at + 4]}).encode() for at in (0, 4))
    plain = read_plain_rows(PATH, header)
    assert plain is not None
    assert (list(plain[0]), json.loads(plain[1])) == (["a", "b"], json.loads(header).get("__metadata__", {}))


FIELDS = st.sampled_from(
    ['"dtype":"F16"', '"shape":[2]', '"shape":[]', '"data_offsets":[0,4]', '"extra":1', '"shape" : [2]']
)
COMPLETE = st.permutations(['"dtype":"U8"', '"shape":[0]', '"data_offsets":[0,0]'])
ODD = st.permutations(['"dtype":"__metadata__"', '"shape":[0]', '"data_offsets":[0,0]'])
ROWS = st.one_of(COMPLETE, COMPLETE, ODD, st.lists(FIELDS, max_size=4)).map(lambda fields: "{" + ",".join(fields) + "}")
METADATA = st.sampled_from(
    ["{}", '{"k":"v"}', '{"k":"v","k":"w"}', '{"k":1}', '{"a":"\\"__metadata__\\":{}"}', "[]", '"{}"']
)
NAMES = st.sampled_from(
    ["a", "b", "c", "dtype", "\\u0061", "\\\\", '\\"', "é", "", "__metadata__", "\\u005f_metadata__"]
)
PAIRS = st.one_of(st.tuples(NAMES, ROWS), st.tuples(st.just("__metadata__"), METADATA), st.tuples(NAMES, METADATA))
GAPS = st.sampled_from(["", " ", "\n"])


@given(pairs=st.lists(PAIRS, max_size=5), gap=GAPS)
def test_whatever_is_read_fast_the_exact_way_reads_alike(pairs: list[tuple[str, str]], gap: str) -> None:
    inner = f",{gap}".join(f'{gap}"{name}"{gap}:{gap}{value}{gap}' for name, value in pairs)
    assert_agreed(f"{{{inner}}}".encode())


@settings(max_examples=300)
@given(
    changes=st.lists(st.tuples(st.integers(0, 200), st.sampled_from(rb'"\{}[],:a0_ 9' + b"\x00\xff")), max_size=4),
    repeat=st.tuples(st.integers(0, 200), st.integers(0, 80)),
)
def test_damage_does_not_part_the_two_ways(changes: list[tuple[int, int]], repeat: tuple[int, int]) -> None:
    header = bytearray(SPELLINGS["as the library writes it"] % ((json.dumps(ROW).encode(),) * 2))
    for position, byte in changes:
        header[position % len(header)] = byte
    begin, length = repeat
    assert_agreed(bytes(header[: begin + length] + header[begin:]))


TRICKY = st.text(st.sampled_from('\\"{}:,aé\n'), max_size=6)


@given(entries=st.dictionaries(TRICKY, TRICKY, max_size=4), plain=st.booleans())
def test_metadata_is_read_as_json_and_a_key_that_comes_again_is_noticed(entries: dict[str, str], plain: bool) -> None:
    text = json.dumps(entries, ensure_ascii=plain)
    assert read_metadata(PATH, text.encode()) == entries
    for key in entries:
        again = f"{text[:-1]}, {json.dumps(key, ensure_ascii=not plain)}: {json.dumps(key)}}}"
        with pytest.raises(BrokenFile, match="twice"):
            read_metadata(PATH, again.encode())


def assert_agreed(header: bytes) -> None:
    """What the fast way takes, the exact way takes too and to the same effect; the fast way may leave things to it."""
    plain = read_plain_rows(PATH, header)
    if plain is None:
        return
    rows, metadata = plain
    try:
        metadata_is = read_metadata(PATH, metadata)
    except BrokenFile:
        with pytest.raises(BrokenFile):
            read_metadata(PATH, read_exact_rows(PATH, header)[1])
    else:
        exact, text = read_exact_rows(PATH, header)
        assert (list(rows.items()), metadata_is) == (list(exact.items()), read_metadata(PATH, text))


SIZE = 30_000_000
TINY = b'"%07d":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}'
LIES: dict[str, Callable[[], bytes]] = {
    "brackets": lambda: b'{"a":' + b"[" * SIZE,
    "brackets in the metadata": lambda: b'{"__metadata__":{"a":' + b"[" * SIZE,
    "empty lists": lambda: b'{"__metadata__":{"a":[' + b"[]," * (SIZE // 3) + b"[]]}}",
    "a name without end": lambda: b'{"' + b"a" * SIZE + b'":',
    "a text without end": lambda: b'{"__metadata__":{"a":"' + b"a" * SIZE,
    "a type without end": lambda: b'{"a":{"dtype":"' + b"a" * SIZE + b'","shape":[0],"data_offsets":[0,0]}}',
    "tiny tensors": lambda: b"{" + b",".join([TINY % at for at in range(SIZE // 55)]) + b"}",
    "tiny metadata": lambda: b'{"__metadata__":{' + b",".join([b'"%06d":""' % at for at in range(SIZE // 12)]) + b"}}",
    "duplicates": lambda: b"{" + b",".join([b'"a":{}'] * (SIZE // 7)) + b"}",
    "escapes": lambda: b'{"\\u0061' + b"a" * SIZE + b'":{}}',
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_a_long_lie_is_refused_in_little_time_and_memory(lie: Callable[[], bytes], tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(raw(lie()))
    tracemalloc.start()
    begun = time.process_time()
    try:
        with pytest.raises(BrokenFile):
            read_table(path)
        assert tracemalloc.get_traced_memory()[1] < 3.5 * SIZE
    finally:
        tracemalloc.stop()
    assert time.process_time() - begun < 2


def test_long_metadata_is_read_when_it_is_what_it_says(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(spelled({"__metadata__": {"tags": "b" * SIZE}, "a": ROW}, b"1234"))
    assert len(read_table(path).metadata["tags"]) == SIZE
