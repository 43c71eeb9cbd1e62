"""Files of a mounted disk come the same way as those of a server."""

import json
from pathlib import Path

import pytest

from modelhub.errors import NotOffered
from modelhub.transfer import Located
from modelhub.transfer._local import LocalAnswer
from tests.modelhub.transfer.conftest import CONTENT, OTHER, SHA256, Desk


@pytest.fixture
def source(desk: Desk, tmp_path: Path) -> Path:
    source = tmp_path / "nas" / "kip böse %41.safetensors"
    source.parent.mkdir()
    source.write_bytes(CONTENT)
    return source


def test_a_file_is_copied_and_proved(source: Path, desk: Desk) -> None:
    received = desk.fetch(desk.wanted(locate=lambda: Located(source.as_uri())))
    assert (received.sha256, received.fetched) == (SHA256, len(CONTENT))
    assert desk.target.read_bytes() == CONTENT
    assert desk.names() == ["kip.safetensors"]


def test_a_copy_that_stopped_is_gone_on_with(source: Path, desk: Desk) -> None:
    begin(source, desk)
    assert desk.fetch(desk.wanted(locate=lambda: Located(source.as_uri()))).fetched == 0


def test_a_source_that_changed_begins_again(source: Path, desk: Desk) -> None:
    begin(source, desk, sha256=None)
    source.write_bytes(OTHER)
    received = desk.fetch(desk.wanted(sha256=None, locate=lambda: Located(source.as_uri())))
    assert (received.fetched, desk.target.read_bytes()) == (len(OTHER), OTHER)


def begin(source: Path, desk: Desk, **about: object) -> None:
    """As if a process had been killed when it had copied everything."""
    desk.fetch(desk.wanted(locate=lambda: Located(source.as_uri()), **about))
    desk.target.rename(desk.folder / "kip.safetensors.part")
    told = {"key": "kip", "sha256": SHA256, "size": len(CONTENT), "validator": '"1-300000"', "flushed": len(CONTENT)}
    (desk.folder / "kip.safetensors.part.json").write_text(json.dumps(told | about))


@pytest.mark.parametrize("start", [0, 100_000, len(CONTENT)])
def test_it_answers_as_a_server_would(start: int, source: Path) -> None:
    with LocalAnswer(source.as_uri(), start) as answer:
        assert answer.status == (200 if not start else 206 if start < len(CONTENT) else 416)
        buffer = memoryview(bytearray(len(CONTENT) + 1))
        count = answer.readinto(buffer)
        assert bytes(buffer[:count]) == CONTENT[start:]
        assert answer.readinto(buffer) == 0


def test_what_is_not_there_is_not_offered(tmp_path: Path, desk: Desk) -> None:
    for missing in (tmp_path / "missing", tmp_path):
        with pytest.raises(NotOffered):
            desk.fetch(desk.wanted(locate=lambda missing=missing: Located(missing.as_uri())))
