"""`gc`, `du`, and what `verify` can be told."""

import os
from pathlib import Path

import pytest

from modelhub.catalog import Catalog
from modelhub.workspace import Workspace
from tests.cli.conftest import Run, Terminal


@pytest.fixture
def part(run: Run, workspace: Workspace) -> Path:
    run("init")
    path = workspace.models / ".kip.safetensors.x.part"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"x" * 2000)
    os.utime(path, (1, 1))
    return path


def test_gc_says_what_it_would_delete(run: Run, part: Path) -> None:
    told = run("gc", "--dry-run")
    assert told.out.endswith("would delete 1 partial: 2.0 kB\n")
    assert str(part) in told.out
    assert run("gc", "--dry-run", "--json").json["bytes"] == 2000
    assert part.exists()


def test_gc_deletes_and_tidies(run: Run, part: Path) -> None:
    told = run("gc", "-y").out
    assert "deleted 1 partial: 2.0 kB\nthe catalog gave back" in told
    assert not part.exists()
    assert run("gc").out.startswith("nothing to delete\n")


@pytest.mark.parametrize(("answer", "there"), [("y\n", False), ("n\n", True)])
def test_gc_asks_before_it_deletes(
    run: Run, part: Path, monkeypatch: pytest.MonkeyPatch, answer: str, there: bool
) -> None:
    assert run("gc").code == 2
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    assert "about to delete 1 partial" in run("gc").err
    assert part.exists() is there


def test_gc_takes_the_trash_when_it_is_told_to(run: Run, kip: Path) -> None:
    run("add", kip, "--move")
    run("rm", "1", "-y")
    assert "nothing" in run("gc", "--dry-run").out
    assert "1 trash" in run("gc", "--trash-older-than", "0m", "-y").out
    assert run("trash", "-q").out == ""
    assert run("gc", "--cache-older-than", "soon").code == 2


def test_du_tells_sizes_by_group(run: Run, kip: Path, vae: Path) -> None:
    run("add", kip, vae)
    lines = [line.split() for line in run("du").out.splitlines()]
    assert lines[0] == ["KIND", "MODELS", "SIZE", "ON", "DISK"]
    assert {line[0] for line in lines[1:4]} == {"lora", "vae", "all"}
    assert ["missing:", "0", "files"] in lines
    assert run("du", "--by", "size").code == 2
    assert {row["name"] for row in run("du", "--by", "family", "--json").json["rows"]} == {"sd1", "?"}


def test_verify_can_look_quickly(run: Run, kip: Path) -> None:
    run("add", kip)
    assert run("verify", "--quick").out == "1 same\n"
    os.utime(kip, (1, 1))
    ran = run("verify", "--quick")
    assert (ran.code, "modelhub verify 1 compares its bytes" in ran.out) == (7, True)
    assert run("verify").out == "1 recorded\n"
    assert run("verify", "--quick").code == 0


def test_verify_goes_on_or_begins_again(run: Run, kip: Path, vae: Path, workspace: Workspace) -> None:
    run("add", kip, vae)
    run("verify")
    with Catalog.open(workspace) as catalog:
        last = catalog.last_run("verify")
        assert last
        catalog.finish_run(last.id, state="interrupted")
    ran = run("verify")
    assert (ran.out, "2 of 2 are done" in ran.err) == ("nothing to verify\n", True)
    with Catalog.open(workspace) as catalog:
        catalog.finish_run(last.id, state="interrupted")
    assert run("verify", "--again").out == "2 same\n"
