"""`trash` lists, restores and empties."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from cli.duration import duration
from modelhub.catalog import Catalog, tables
from modelhub.errors import BadValue
from modelhub.workspace import Workspace
from tests.cli.conftest import Run, Terminal


@pytest.fixture
def removed(run: Run, kip: Path, vae: Path, workspace: Workspace) -> Path:
    """Both models were removed, the first one 40 days ago; gives where that one lay."""
    run("add", kip, vae, "--move")
    run("rm", "1", "2", "-y")
    with Catalog.open(workspace) as catalog, catalog._database.writing() as connection:
        past = (datetime.now(UTC) - timedelta(days=40)).isoformat()
        connection.execute(update(tables.artifact).where(tables.artifact.c.id == 1).values(removed_at=past))
    return workspace.models / "lora" / "kip.safetensors"


def test_trash_lists_what_was_removed(run: Run, removed: Path) -> None:
    lines = run("trash").out.splitlines()
    assert lines[0].split() == ["ID", "NAME", "SIZE", "REMOVED", "FROM"]
    assert [line.split()[:2] for line in lines[1:]] == [["2", "plain-vae"], ["1", "kip"]]
    assert lines[2].endswith(str(removed))
    assert run("trash", "list", "--json").json[1]["files"][0]["origin"] == str(removed)
    assert run("trash", "-q").out == "2\n1\n"


def test_trash_restores(run: Run, removed: Path) -> None:
    assert run("trash", "restore", "kip").out == f"restored 1 (kip)\n  to {removed}\n"
    assert removed.is_file()
    assert run("ls", "-q").out == "1\n"
    assert run("trash", "restore", "kip").code == 3
    assert run("trash", "restore").code == 2


def test_trash_restores_nothing_when_one_is_unknown(run: Run, removed: Path) -> None:
    assert run("trash", "restore", "1", "nobody").code == 3
    assert run("trash", "-q").out == "2\n1\n"
    assert run("trash", "restore", "1", "kip", "-q").out == "1\n"


def test_trash_restores_over_no_other_file(run: Run, removed: Path) -> None:
    removed.write_bytes(b"another")
    ran = run("trash", "restore", "1")
    assert (ran.code, str(removed) in ran.err) == (4, True)
    assert removed.read_bytes() == b"another"


def test_trash_empties_what_is_old_enough(run: Run, removed: Path, workspace: Workspace) -> None:
    assert "would delete 2 models" in run("trash", "empty", "--dry-run").out
    assert "deleted 1 models" in run("trash", "empty", "--older-than", "30d", "-y").out
    assert len(list(workspace.trash.iterdir())) == 1
    assert run("trash", "empty", "-y", "-q").out == "2\n"
    assert run("trash", "empty", "-y").out == "nothing to delete\n"
    assert run("trash").out == "the trash is empty\n"


@pytest.mark.parametrize(("answer", "left"), [("y\n", 0), ("n\n", 2)])
def test_trash_asks_before_it_deletes(
    run: Run, removed: Path, workspace: Workspace, monkeypatch: pytest.MonkeyPatch, answer: str, left: int
) -> None:
    assert run("trash", "empty").code == 2
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    assert "for good" in run("trash", "empty").err
    assert len(list(workspace.trash.iterdir())) == left


def test_trash_refuses_models_where_it_takes_none(run: Run, removed: Path) -> None:
    assert run("trash", "empty", "1").code == 2


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("30d", timedelta(days=30)),
        ("12H", timedelta(hours=12)),
        ("2w", timedelta(weeks=2)),
        ("5m", timedelta(minutes=5)),
    ],
)
def test_spans_of_time_are_read(text: str, span: timedelta) -> None:
    assert duration(text) == span


@pytest.mark.parametrize("text", ["", "30", "d", "-1d", "1.5d", "3y"])
def test_other_spans_are_refused(text: str) -> None:
    with pytest.raises(BadValue):
        duration(text)
