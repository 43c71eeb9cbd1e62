"""On a disk that fills up commands say so, leave a whole catalog, and finish once there is room."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from modelhub.catalog import Catalog
from modelhub.workspace import Workspace
from tests import tables
from tests.cli.conftest import Run, run
from tests.hands.killing import assert_whole

__all__ = ["run"]

FULL = 8
FILES = 30


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of sixteen megabytes: the log of a catalog may take four."""
    where = tmp_path / "disk"
    where.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=16m", "none", str(where)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("only root can mount a disk to fill")
    yield where
    subprocess.run(["umount", "--lazy", str(where)], check=True)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    for number in range(FILES):
        tables.write(tmp_path / "files" / f"kip{number}.safetensors", tables.tiny_lora(), {"number": str(number)})
    return tmp_path / "files"


@pytest.fixture
def home(disk: Path, _empty_catalog: Path) -> Path:
    shutil.copy(_empty_catalog, disk / "catalog.db")
    return disk


def fill(disk: Path, *, leave: int) -> Path:
    """Leave so many bytes; returns what to delete for more room."""
    ballast = disk / "ballast"
    ballast.write_bytes(bytes(max(0, shutil.disk_usage(disk).free - leave)))
    return ballast


def test_add_with_copies_stops_and_goes_on(run: Run, home: Path, files: Path) -> None:
    ballast = fill(home, leave=500_000)
    ran = run("--home", home, "add", "--copy", files)
    assert ran.code in (FULL, 5)
    assert "disk is full" in ran.err
    assert_whole(home)
    ballast.unlink()
    assert run("--home", home, "add", "--copy", files).code == 0
    assert_whole(home)
    with Catalog.open(Workspace(home)) as catalog:
        assert len(catalog.list()) == FILES


def test_scan_stops_and_goes_on(run: Run, home: Path, files: Path) -> None:
    ballast = fill(home, leave=60_000)
    ran = run("--home", home, "scan", files)
    assert (ran.code, ran.out) == (FULL, "")
    assert "disk is full" in ran.err
    ballast.unlink()
    assert_whole(home)
    assert run("--home", home, "scan", files).code == 0
    with Catalog.open(Workspace(home)) as catalog:
        assert len(catalog.list()) == FILES


def test_convert_leaves_nothing_half_written(run: Run, home: Path) -> None:
    path = home / "kip.pt"
    torch.save({name: torch.zeros(shape) for name, shape in tables.tiny_lora(rank=64).items()}, path)
    ballast = fill(home, leave=100_000)
    assert run("--home", home, "convert", path).code == FULL
    assert [each.name for each in home.iterdir() if each.name.endswith((".part", ".safetensors"))] == []
    ballast.unlink()
    assert run("--home", home, "convert", path).code == 0
    assert_whole(home)


def test_export_by_copies_leaves_nothing_half_written(run: Run, workspace: Workspace, disk: Path, files: Path) -> None:
    run("scan", files)
    ballast = fill(disk, leave=120_000)
    ran = run("export", "a1111", disk / "webui", "--links", "copy")
    assert ran.code in (FULL, 5)
    for path in (disk / "webui").rglob("[!.]*.safetensors"):
        assert path.read_bytes() == (files / path.name).read_bytes()
    ballast.unlink()
    assert run("export", "a1111", disk / "webui", "--links", "copy").code == 0
    assert len(list((disk / "webui" / "models" / "Lora").glob("[!.]*.safetensors"))) == FILES
