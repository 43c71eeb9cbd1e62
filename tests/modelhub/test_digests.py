"""Digests follow their published definitions, however the file falls into chunks."""

import hashlib
import os
import struct
import threading
from pathlib import Path

import pytest
from blake3 import blake3

from modelhub.digests import ALGORITHMS, CHEAP, Hashed, digest_file, file_digests, hash_files
from modelhub.errors import BrokenFile, Interrupted, MissingFile
from modelhub.fingerprint import fingerprint
from modelhub.jobs import Cancel, Progress, drain
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
    path.write_bytes(bytes((1 << 25) + 1))
    told = [(event.done, event.total, event.unit) for event in digest_file(path) if isinstance(event, Progress)]
    assert told == [(1 << 25, (1 << 25) + 1, "B"), ((1 << 25) + 1, (1 << 25) + 1, "B")]


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


@pytest.mark.parametrize("threads", [True, False])
def test_threads_change_nothing_but_the_time(tmp_path: Path, threads: bool) -> None:
    path = tables.write(tmp_path / "a.safetensors", {"a": (5 << 20,)}, {"k": "v"}, fill=7)
    content = path.read_bytes()
    digests = drain(digest_file(path, algorithms=(*ALGORITHMS, "blake3"), threads=threads))
    assert digests["sha256"] == sha256(content)
    assert digests["blake3"] == blake3(content).hexdigest()
    assert digests["autov3"] == sha256(content[-10 << 20 :])[:12]


@pytest.mark.parametrize("algorithms", [CHEAP, ("sha256",), ("autov3", "autov2"), ("blake3",), ("autov1",)])
def test_only_what_is_asked_for_is_computed(tmp_path: Path, algorithms: tuple[str, ...]) -> None:
    path = tables.write(tmp_path / "a.safetensors", {"a": (1 << 20,)})
    digests = drain(digest_file(path, algorithms=algorithms))
    assert digests.keys() == set(algorithms)
    assert digests.items() <= {**file_digests(path), "blake3": blake3(path.read_bytes()).hexdigest()}.items()


def test_an_empty_file_has_the_digest_of_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.touch()
    assert file_digests(path) == {"sha256": sha256(b""), "autov2": sha256(b"")[:10]}


def test_a_folders_digest_is_that_of_its_files_and_their_names(tmp_path: Path) -> None:
    tables.write(tmp_path / "vae" / "diffusion_pytorch_model.safetensors", {"a": (4,)})
    (tmp_path / "vae" / "config.json").write_text("{}")
    names = ("config.json", "diffusion_pytorch_model.safetensors")
    lines = "".join(f"{name}\0{sha256((tmp_path / 'vae' / name).read_bytes())}\n" for name in names)
    assert file_digests(tmp_path / "vae") == {"sha256": sha256(lines.encode())}


@pytest.mark.parametrize("size", [0, 1 << 20, 12 << 20])
def test_a_file_that_is_cut_short_while_it_is_read_is_an_error_and_no_crash(tmp_path: Path, size: int) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(bytes(80 << 20))
    job = digest_file(path)
    next(job)
    os.truncate(path, size)
    with pytest.raises(BrokenFile, match="changed"):
        list(job)


def test_a_job_that_is_closed_leaves_no_thread(tmp_path: Path) -> None:
    path = tables.write(tmp_path / "a.safetensors", {"a": (20 << 20,)})
    before = set(threading.enumerate())
    job = digest_file(path)
    next(job)
    assert set(threading.enumerate()) > before
    job.close()  # type: ignore[attr-defined]
    assert set(threading.enumerate()) <= before


def test_several_files_are_hashed_at_once_and_the_rest_survives_one_that_fails(tmp_path: Path) -> None:
    paths = [tables.write(tmp_path / f"{fill}.safetensors", {"a": (1 << 16,)}, fill=fill) for fill in range(5)]
    events = list(hash_files([*paths, tmp_path / "none"], workers=3))
    done = {event.path: event for event in events if isinstance(event, Hashed)}
    assert {path: one.digests for path, one in done.items() if one.error is None} == {
        path: file_digests(path) for path in paths
    }
    assert all(done[path].seen == fingerprint(path) for path in paths)
    assert isinstance(done[tmp_path / "none"].error, MissingFile)
    total = [event for event in events if isinstance(event, Progress) and event.task == "all"]
    assert total[-1].done == total[-1].total == sum(path.stat().st_size for path in paths)


def test_no_files_are_hashed_at_once_too() -> None:
    assert list(hash_files([])) == []


def test_hashing_several_files_can_be_cancelled_and_closed(tmp_path: Path) -> None:
    paths = [tables.write(tmp_path / f"{fill}.safetensors", {"a": (1 << 20,)}, fill=fill) for fill in range(3)]
    before = set(threading.enumerate())
    cancel = Cancel()
    cancel.set()
    with pytest.raises(Interrupted):
        list(hash_files(paths, cancel=cancel))
    job = hash_files(paths, workers=1)
    next(job)
    job.close()  # type: ignore[attr-defined]
    assert set(threading.enumerate()) <= before
