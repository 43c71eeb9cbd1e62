"""While folders are watched, what changes in them reaches the catalog."""

import os
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from modelhub.catalog import Catalog
from modelhub.errors import Interrupted
from modelhub.jobs import Cancel, drain
from modelhub.upkeep.scan import ScanReport, scan
from modelhub.upkeep.scan.watch import changed_paths, watch, watched_folders
from modelhub.workspace import Workspace
from tests import tables

LONG_AGO = (1_000, 1_000)


@pytest.fixture
def root(catalog: Catalog, tmp_path: Path) -> Path:
    """A folder that was scanned, with one file in it."""
    lora(tmp_path / "disk" / "first.safetensors")
    drain(scan(catalog, [tmp_path / "disk"]))
    return tmp_path / "disk"


def lora(path: Path, *, fill: int = 0, at: tuple[int, int] | None = LONG_AGO) -> Path:
    tables.write(path, tables.tiny_lora(), fill=fill)
    if at is not None:
        os.utime(path, ns=at)
    return path


def reports(catalog: Catalog, *batches: list[Path]) -> list[ScanReport]:
    return list(watch(catalog, batches))


def test_a_new_a_moved_and_a_deleted_file_are_told_in_turn(catalog: Catalog, root: Path) -> None:
    def happening() -> Iterator[list[Path]]:
        path = lora(root / "sub" / "kip.safetensors", fill=1)
        yield [path]
        path.rename(root / "kip.safetensors")
        yield [path, root / "kip.safetensors"]
        (root / "kip.safetensors").unlink()
        yield [root / "kip.safetensors"]
        yield []

    new, moved, missing = watch(catalog, happening())
    assert [one.name for one in (*new.new, *moved.moved, *missing.missing)] == ["kip"] * 3


def test_a_file_in_the_making_is_taken_when_it_rests(catalog: Catalog, root: Path) -> None:
    def happening() -> Iterator[list[Path]]:
        path = lora(root / "kip.safetensors", fill=1, at=None)
        whole = path.read_bytes()
        path.write_bytes(whole[:-100])
        yield [path]
        yield []
        path.write_bytes(whole)
        os.utime(path, ns=LONG_AGO)
        yield []

    (report,) = watch(catalog, happening())
    assert [one.name for one in report.new] == ["kip"]


def test_the_last_file_of_a_folder_may_be_deleted_and_the_folder_too(catalog: Catalog, root: Path) -> None:
    path = lora(root / "sub" / "kip.safetensors", fill=1)
    drain(scan(catalog, [root]))
    path.unlink()
    (report,) = reports(catalog, [path])
    assert [one.name for one in report.missing] == ["kip"]
    lora(path, fill=2)
    drain(scan(catalog, [root]))
    shutil.rmtree(path.parent)
    (report,) = reports(catalog, [path, path.parent])
    assert [one.name for one in report.missing] == ["kip"]


def test_a_broken_file_is_told_of_once(catalog: Catalog, root: Path) -> None:
    broken = root / "broken.safetensors"
    broken.write_bytes(b"\x08\0\0\0\0\0\0\0{}")
    os.utime(broken, ns=LONG_AGO)
    (report,) = reports(catalog, [broken], [broken], [root / "first.safetensors"])
    assert [one.path for one in report.failed] == [broken]


@pytest.mark.parametrize("name", ["catalog.db-wal", ".kip.safetensors.x.part", "kip.safetensors.part"])
def test_our_own_writing_is_no_change(catalog: Catalog, root: Path, name: str) -> None:
    lora(root / "kip.safetensors", fill=1)
    assert reports(catalog, [root / name]) == []


def test_what_is_watched_is_what_is_scanned_and_there(catalog: Catalog, workspace: Workspace, root: Path) -> None:
    assert watched_folders(catalog) == (root,)
    workspace.models.mkdir()
    assert watched_folders(catalog) == (root, workspace.models)
    assert watched_folders(catalog, [root / "none", root]) == (root,)


def test_the_file_system_tells_of_changes_until_it_is_cancelled(root: Path) -> None:
    cancel, seen = Cancel(), threading.Event()

    def write() -> None:
        while not seen.wait(0.2):
            lora(root / f"{time.monotonic_ns()}.safetensors")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for batch in changed_paths([root], cancel=cancel):
            if any(path.parent == root for path in batch):
                break
    finally:
        seen.set()
        writer.join()
    cancel.set()
    with pytest.raises(Interrupted):
        next(changed_paths([root], cancel=cancel))
