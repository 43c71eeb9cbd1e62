"""Real processes work on one catalog at once: what each was told is done stays done, and nobody sees half a row."""

import json
import os
import random
import sqlite3
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from modelhub.catalog import Catalog, Query
from modelhub.jobs import drain
from modelhub.upkeep.scan import scan
from modelhub.workspace import Workspace
from tests import tables

STEPS = int(os.environ.get("MODELHUB_STEPS", "25"))


@pytest.mark.parametrize("hands", [2, 8])
def test_nothing_is_lost_and_nothing_seen_half(hands: int, workspace: Workspace, tmp_path: Path) -> None:
    Catalog.create(workspace).close()
    folders = [tmp_path / f"hand{number}" for number in range(hands)]
    workers = [
        _fork(lambda number=number, folder=folder: _work(workspace, folder, number))
        for number, folder in enumerate(folders)
    ]
    reader = _fork(lambda: _read(workspace, tmp_path / "stop"))
    codes = [_code(worker) for worker in workers]
    (tmp_path / "stop").touch()
    assert (codes, _code(reader)) == ([0] * hands, 0)
    expected = {
        name: path for folder in folders for name, path in json.loads((folder / "held.json").read_text()).items()
    }
    with Catalog.open(workspace) as catalog:
        held = {one.name: str(one.path) for one in catalog.list() if not one.name.startswith("shared")}
        assert held == expected
        shared = [one for one in catalog.list() if one.name.startswith("shared")]
        assert [len(one.locations) for one in shared] == [hands], "equal bytes are one artifact in many places"
        for name in held:
            assert name in {one.name for one in catalog.list(Query(text=name))}, "the index knows what the tables do"
        ids = [one.id for one in catalog.list()]
        assert len(set(ids)) == len(ids)


def _work(workspace: Workspace, folder: Path, number: int) -> None:
    """Add, find, rename, tag and remove files of its own; write down what must be there in the end."""
    chance = random.Random(number)
    held: dict[str, str] = {}
    tables.write(folder / "shared.safetensors", tables.tiny_lora())
    with Catalog.open(workspace) as catalog:
        catalog.add(folder / "shared.safetensors")
        for step in range(STEPS):
            act = chance.choice(["add", "add", "scan", "rename", "tag", "remove"]) if held else "add"
            if act == "add":
                metadata = {"by": f"{number}", "step": f"{step}"}
                path = tables.write(folder / f"own-{number}-{step}.safetensors", tables.tiny_lora(), metadata)
                held[catalog.add(path).name] = str(path)
                continue
            if act == "scan":
                path = tables.write(
                    folder / f"own-{number}-{step}.safetensors", tables.tiny_lora(), {"found": f"{number}-{step}"}
                )
                new = drain(scan(catalog, [folder])).new
                held |= {one.name: str(one.path) for one in new}
                assert path in {one.path for one in new}
                continue
            name = chance.choice(sorted(held))
            artifact = catalog.resolve(name)
            if act == "rename":
                held[catalog.rename(artifact.id, f"new-{number}-{step}").name] = held.pop(name)
            elif act == "tag":
                assert f"tag{step}" in catalog.tag(artifact.id, f"tag{step}").tags
            else:
                catalog.remove(artifact.id)
                del held[name]
    (folder / "held.json").write_text(json.dumps(held))


def _read(workspace: Workspace, stop: Path) -> None:
    """Look again and again: every artifact that is seen is whole."""
    while not stop.exists():
        with Catalog.open(workspace) as catalog:
            for artifact in catalog.list():
                assert artifact.locations
                assert artifact.facts.kind == "lora"
        with sqlite3.connect(workspace.catalog) as connection:
            assert connection.execute("PRAGMA quick_check").fetchone() == ("ok",)


def _fork(work: Callable[[], None]) -> int:
    """Run `work` in a process of its own; returns its number."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    return child


def _code(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
