"""GGUF headers: what the real writer writes is read as the real reader reads it, and lies are refused."""

import contextlib
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelhub.errors import BrokenFile, UnsafeFile
from modelhub.headers import read_table
from modelhub.headers.gguf import BLOCKS

Q4_K = GGMLQuantizationType.Q4_K
TEXT, ARRAY, U32 = 8, 9, 4


def flux(path: Path, fill: Callable[[gguf.GGUFWriter], object] = lambda writer: None) -> Path:
    """A few tensors as ComfyUI-GGUF's converter writes them."""
    writer = gguf.GGUFWriter(path, "flux")
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q4_K_S)
    writer.add_tensor("double_blocks.0.img_attn.qkv.weight", np.zeros((6, 144), np.uint8), raw_dtype=Q4_K)
    writer.add_tensor("double_blocks.0.img_attn.norm.key_norm.scale", np.ones(5, np.float32))
    writer.add_tensor("img_in.weight", np.zeros((4, 64), np.float16))
    writer.add_tensor("conv.weight", np.zeros((2, 3, 5, 7), np.float32))
    fill(writer)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def packed(text: str | bytes) -> bytes:
    content = text.encode() if isinstance(text, str) else text
    return struct.pack("<Q", len(content)) + content


def row(name: str = "a", lengths: tuple[int, ...] = (8,), kind: int = 0, start: int = 0) -> bytes:
    return packed(name) + struct.pack(f"<I{len(lengths)}QIQ", len(lengths), *lengths, kind, start)


def key(name: str, kind: int, value: bytes) -> bytes:
    return packed(name) + struct.pack("<I", kind) + value


def spelled(
    *rows: bytes, keys: tuple[bytes, ...] = (), version: int = 3, body: int = 64, claims: tuple[int, int] | None = None
) -> bytes:
    totals = claims or (len(rows), len(keys))
    header = b"GGUF" + struct.pack("<IQQ", version, *totals) + b"".join(keys) + b"".join(rows)
    return header + bytes(-len(header) % 32) + bytes(body)


def shape_key(*lengths: int) -> bytes:
    return key("comfy.gguf.orig_shape.a", ARRAY, struct.pack(f"<IQ{len(lengths)}i", 5, len(lengths), *lengths))


BROKEN = {
    "cut in its counts": b"GGUF" + struct.pack("<IQ", 3, 1),
    "cut in a key": spelled(keys=(key("k", TEXT, packed("v")),))[:40],
    "a tensor too few": spelled(row(), claims=(2, 0), body=0),
    "more tensors than any model has": spelled(claims=(1 << 60, 0)),
    "more keys than any model has": spelled(claims=(0, 1 << 60)),
    "truncated tensors": spelled(row(), body=31),
    "a tensor twice": spelled(row(), row()),
    "a key twice": spelled(keys=(key("k", TEXT, packed("v")),) * 2),
    "overlapping tensors": spelled(row("a", (12,)), row("b", (4,), start=32)),
    "a tensor out of line": spelled(row(start=8)),
    "a type that no one knows": spelled(row(kind=4)),
    "half a block": spelled(row(lengths=(100,), kind=12)),
    "five dimensions": spelled(row(lengths=(1, 1, 1, 1, 1))),
    "lengths that overflow": spelled(row(lengths=(1 << 63, 1 << 63))),
    "a start that overflows": spelled(row(start=(1 << 64) - 32)),
    "a name without end": spelled(row("a" * 2000)),
    "a name that is longer than the file": spelled(struct.pack("<Q", 1000)[:8], body=0),
    "a text that is longer than the file": spelled(keys=(key("k", TEXT, struct.pack("<Q", (1 << 64) - 1)),)),
    "texts that are longer than the file": spelled(keys=(key("k", ARRAY, struct.pack("<IQQ", 8, 2, (1 << 64) - 1)),)),
    "endless texts": spelled(keys=(key("k", ARRAY, struct.pack("<IQ", 8, 1 << 60)),)),
    "endless numbers": spelled(keys=(key("k", ARRAY, struct.pack("<IQ", 10, 1 << 63)),)),
    "arrays in arrays": spelled(keys=(key("k", ARRAY, struct.pack("<IQ", 9, 1)),)),
    "a value of no known type": spelled(keys=(key("k", 13, b""),)),
    "a name that is no Unicode": spelled(packed(b"\xff") + row()[9:]),
    "no alignment": spelled(row(), keys=(key("general.alignment", U32, struct.pack("<I", 0)),)),
    "an alignment in words": spelled(row(), keys=(key("general.alignment", TEXT, packed("all")),)),
    "another shape's size": spelled(row(), keys=(shape_key(3, 3),)),
    "a negative shape": spelled(row(), keys=(shape_key(-2, -4),)),
}
UNSAFE = {
    "version 1": spelled(row(), version=1),
    "a version to come": spelled(row(), version=4),
    "big-endian numbers": b"GGUF" + struct.pack(">IQQ", 3, 0, 0),
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_a_header_that_contradicts_itself_is_broken(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(BrokenFile, match=r"model\.gguf"):
        read_table(written(tmp_path, content))


@pytest.mark.parametrize("content", UNSAFE.values(), ids=UNSAFE)
def test_a_version_that_is_not_read_is_refused_with_its_reason(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(UnsafeFile, match=r"version|big-endian"):
        read_table(written(tmp_path, content))


def test_what_the_real_writer_writes_is_read_as_the_real_reader_reads_it(tmp_path: Path) -> None:
    path = flux(tmp_path / "model.gguf")
    table, theirs = read_table(path), gguf.GGUFReader(path).tensors
    assert table.container == "gguf"
    assert [
        (name, entry.dtype, entry.shape, table.data_start + entry.start, entry.end - entry.start)
        for name, entry in table.tensors.items()
    ] == [
        (one.name, one.tensor_type.name, tuple(one.shape.tolist())[::-1], one.data_offset, one.n_bytes)
        for one in theirs
    ]


def test_shapes_stand_in_the_order_of_torch(tmp_path: Path) -> None:
    table = read_table(flux(tmp_path / "model.gguf"))
    assert table.shape("double_blocks.0.img_attn.qkv.weight") == (6, 256)
    assert table.shape("conv.weight") == (2, 3, 5, 7)


def test_values_and_short_texts_become_metadata_and_vocabularies_do_not(tmp_path: Path) -> None:
    def fill(writer: gguf.GGUFWriter) -> None:
        writer.add_string("general.name", "Kip 🐦")
        writer.add_bool("flux.guided", True)
        writer.add_float32("flux.scale", 0.5)
        writer.add_int64("flux.offset", -3)
        writer.add_token_list(["<pad>", b"\xff\xfe", "a" * 300])
        writer.add_token_scores([0.0, 1.0, 2.0])
        writer.add_chat_template("x" * 10_000)

    metadata = read_table(flux(tmp_path / "model.gguf", fill)).metadata
    assert metadata == {
        "general.architecture": "flux",
        "general.quantization_version": "2",
        "general.file_type": "14",
        "general.name": "Kip 🐦",
        "flux.guided": "true",
        "flux.scale": "0.5",
        "flux.offset": "-3",
    }


def test_the_shape_that_a_converter_set_aside_is_put_back(tmp_path: Path) -> None:
    def fill(writer: gguf.GGUFWriter) -> None:
        writer.add_array("comfy.gguf.orig_shape.input_blocks.1.0.weight", [8, 4, 4, 4])
        writer.add_tensor("input_blocks.1.0.weight", np.zeros((2, 144), np.uint8), raw_dtype=Q4_K)

    assert read_table(flux(tmp_path / "model.gguf", fill)).shape("input_blocks.1.0.weight") == (8, 4, 4, 4)


def test_another_alignment_is_kept_to(tmp_path: Path) -> None:
    path = flux(tmp_path / "model.gguf", lambda writer: writer.add_custom_alignment(256))
    table = read_table(path)
    assert table.data_start % 256 == 0
    assert table.data_start == gguf.GGUFReader(path).data_offset


def test_version_two_is_read(tmp_path: Path) -> None:
    assert read_table(written(tmp_path, spelled(row(), version=2))).shape("a") == (8,)


def test_a_header_longer_than_the_first_look_is_read(tmp_path: Path) -> None:
    tokens = key("tokens", ARRAY, struct.pack("<IQ", 8, 60_000) + packed("a" * 20) * 60_000)
    assert read_table(written(tmp_path, spelled(row(), keys=(tokens,)))).shape("a") == (8,)


@pytest.mark.parametrize("number", BLOCKS)
def test_blocks_are_as_large_as_the_package_says(number: int) -> None:
    name, numbers, size = BLOCKS[number]
    if number not in {one.value for one in GGMLQuantizationType}:
        pytest.skip(f"the installed gguf knows no {name}")
    kind: Any = GGMLQuantizationType(number)
    assert (kind.name, GGML_QUANT_SIZES[kind]) == (name, (numbers, size))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(position=st.integers(0, 700), byte=st.integers(0, 255), cut=st.integers(0, 2000))
def test_a_damaged_file_is_read_or_refused_and_nothing_else(tmp_path: Path, position: int, byte: int, cut: int) -> None:
    whole = tmp_path / "whole.gguf"
    if not whole.exists():
        flux(whole, lambda writer: writer.add_token_list(["a", "b"]))
    content = bytearray(whole.read_bytes())
    content[position] = byte
    with contextlib.suppress(BrokenFile, UnsafeFile):
        read_table(written(tmp_path, bytes(content[:cut] if cut < 1000 else content)))


def written(folder: Path, content: bytes) -> Path:
    path = folder / "model.gguf"
    path.write_bytes(content)
    return path
