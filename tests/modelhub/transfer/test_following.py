"""The digest is that of the file, however it was handed over."""

import hashlib
from pathlib import Path

import pytest

from modelhub.transfer._following import Follower
from tests.modelhub.transfer.conftest import weights

SIZE = 20 << 20


@pytest.fixture(scope="module")
def content() -> bytes:
    return weights(SIZE)


@pytest.mark.parametrize("portion", [1 << 20, 300_001], ids=["full", "ragged"])
@pytest.mark.parametrize("begun", [0, 9 << 20, SIZE], ids=["new", "resumed", "whole"])
def test_it_is_that_of_the_whole_file(begun: int, portion: int, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "file.part"
    path.write_bytes(content[:begun])
    follower = Follower(path)
    follower.reach(begun)
    with path.open("ab", buffering=0) as file:
        for at in range(begun, SIZE, portion):
            part = content[at : at + portion]
            follower.buffer[: len(part)] = part
            file.write(part)
            follower.wrote(at, len(part))
    list(follower.rest())
    assert follower.hexdigest() == hashlib.sha256(content).hexdigest()
    follower.close()


def test_what_somebody_else_wrote_is_read(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "file.part"
    path.write_bytes(content)
    follower = Follower(path)
    for position in range(0, SIZE + 1, 1 << 19):
        follower.reach(position)
    list(follower.rest())
    assert follower.hexdigest() == hashlib.sha256(content).hexdigest()
    follower.close()


def test_a_file_that_shrinks_ends_the_work(tmp_path: Path) -> None:
    path = tmp_path / "file.part"
    path.write_bytes(b"little")
    follower = Follower(path)
    follower.reach(9 << 20)
    assert list(follower.rest())[-1:] in ([], [6])
    follower.close()
