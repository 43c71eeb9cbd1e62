"""A disk without room: said before the first byte where the size is known, and what came is kept where it is not."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from modelhub.errors import OutOfResources
from tests.modelhub.transfer.conftest import Desk, weights
from tests.servers.faults import chunked

CONTENT = weights(6 << 20)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of four megabytes."""
    where = tmp_path / "disk"
    where.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=4m", "none", str(where)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("only root can mount a disk to fill")
    yield where
    subprocess.run(["umount", "--lazy", str(where)], check=True)


def test_too_little_room_is_told_before_anybody_is_asked(disk: Path, desk: Desk) -> None:
    desk.offer(CONTENT)
    with pytest.raises(OutOfResources, match=r"needs 6\.3 MB more, and \d\.\d MB are free"):
        desk.fetch(desk.wanted(target=disk / "kip.safetensors", sha256=None, size=len(CONTENT)))
    assert desk.storage.requests == []
    assert list(disk.iterdir()) == []


def test_too_little_room_is_told_when_the_storage_tells_the_size(disk: Path, desk: Desk) -> None:
    desk.offer(CONTENT)
    with pytest.raises(OutOfResources):
        desk.fetch(desk.wanted(target=disk / "kip.safetensors", sha256=None, size=None))
    assert list(disk.iterdir()) == []


def test_a_disk_that_fills_keeps_what_came(disk: Path, desk: Desk) -> None:
    desk.offer(CONTENT)
    desk.storage.always = chunked()
    wanted = desk.wanted(target=disk / "kip.safetensors", sha256=None, size=None)
    with pytest.raises(OutOfResources, match="disk is full"):
        desk.fetch(wanted)
    held = (disk / "kip.safetensors.part").stat().st_size
    assert 1 << 20 < held < 4 << 20
    subprocess.run(["mount", "-o", "remount,size=16m", str(disk)], check=True)
    assert desk.fetch(wanted).fetched < len(CONTENT)
    assert (disk / "kip.safetensors").read_bytes() == CONTENT
    assert [path.name for path in disk.iterdir()] == ["kip.safetensors"]
