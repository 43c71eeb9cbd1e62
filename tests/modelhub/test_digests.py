"""Digests follow their published definitions, however the file falls into chunks."""

import hashlib
import os
import struct
from pathlib import Path

import pytest

from modelhub.digests import digest_file, file_digests
from modelhub.errors import Interrupted, MissingFile
from modelhub.jobs import Cancel, Progress
from tests import tables


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("size", [1 << 16, (1 << 20) + 5, (1 << 20) + (1 << 16), (1 << 22) + 77, 9 << 20])
def test_a_safetensors_file_has_all_digests_by_their_definitions(tmp_path: Path, size: int) -> None:
    path = tables.write(tmp_path / "a.safetensors", {"a": (size // 2,)}, {"k": "v"})
    with path.open("r+b") as file:
        file.seek(size // 2)
        file.write(os.urandom(64))
    content = path.read_bytes()
    header = struct.unpack("<Q", content[:8])[0]
    expected = {
        "sha256": sha256(content),
        "autov2": sha256(content)[:10],
        "autov3": sha256(content[8 + header :])[:12],
    }
    if len(content) > 0x100000:
        expected["autov1"] = sha256(content[0x100000:0x110000])[:8]
    assert file_digests(path) == expected


def test_another_file_has_no_autov3(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"hello")
    assert file_digests(path) == {"sha256": sha256(b"hello"), "autov2": sha256(b"hello")[:10]}


def test_autov3_survives_other_metadata_and_the_others_do_not(tmp_path: Path) -> None:
    one = file_digests(tables.write(tmp_path / "1.safetensors", {"a": (9,)}))
    two = file_digests(tables.write(tmp_path / "2.safetensors", {"a": (9,)}, {"edited": "yes"}))
    assert one["autov3"] == two["autov3"]
    assert one["sha256"] != two["sha256"]


def test_hashing_tells_how_far_it_is_in_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(bytes((1 << 22) + 1))
    told = [(event.done, event.total, event.unit) for event in digest_file(path) if isinstance(event, Progress)]
    assert told == [(1 << 22, (1 << 22) + 1, "B"), ((1 << 22) + 1, (1 << 22) + 1, "B")]


def test_hashing_can_be_cancelled(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"hello")
    cancel = Cancel()
    cancel.set()
    with pytest.raises(Interrupted):
        list(digest_file(path, cancel=cancel))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match="none"):
        file_digests(tmp_path / "none")
