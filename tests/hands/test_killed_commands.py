"""Commands killed at any moment leave a whole catalog, and the next run finishes their work."""

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from modelhub.catalog import Catalog
from modelhub.headers import read_table
from modelhub.kinds import Artifact
from modelhub.workspace import Workspace
from tests import tables
from tests.hands.killing import Killed, assert_whole, killed_at_random, run_child

TIMES = int(os.environ.get("MODELHUB_KILLS", "4"))
"""Kills a command: few in the everyday tests, `make prove` asks for more."""
FILES = 12


@dataclass(frozen=True)
class Ground:
    """Where trials take place: laid once, and brought back to that state for every kill."""

    home: Path
    files: Path
    kept: Path
    """A copy of both, as they were laid."""

    def lay(self, *commands: Sequence[object]) -> None:
        for number in range(FILES):
            tables.write(self.files / f"kip{number}.safetensors", tables.tiny_lora(), {"number": str(number)})
        for command in commands:
            self.succeeds(*command)
        shutil.copytree(self.home.parent, self.kept, ignore=lambda _, names: {self.kept.name} & set(names))

    def bring_back(self) -> None:
        for folder in (self.home, self.files):
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(self.kept / folder.name, folder)

    def succeeds(self, *arguments: object) -> None:
        ended, _ = run_child([str(each) for each in arguments])
        assert ended, arguments

    def listed(self) -> tuple[Artifact, ...]:
        with Catalog.open(Workspace(self.home)) as catalog:
            return catalog.list()


@pytest.fixture
def ground(workspace: Workspace, tmp_path: Path, _empty_catalog: Path) -> Ground:
    workspace.root.mkdir()
    shutil.copy(_empty_catalog, workspace.catalog)
    return Ground(workspace.root, tmp_path / "files", tmp_path / "kept")


def test_add_with_copies(ground: Ground) -> None:
    ground.lay()
    command = ["add", "--copy", str(ground.files)]

    def check(_trial: Killed) -> None:
        assert_whole(ground.home)
        ground.succeeds(*command)
        found = ground.listed()
        assert sorted(one.name for one in found) == sorted(f"kip{number}" for number in range(FILES))
        visible = {path for path in (ground.home / "models").rglob("*.safetensors") if path.name[0] != "."}
        assert visible == {one.path for one in found}

    killed_at_random(command, times=TIMES, prepare=ground.bring_back, check=check)


def test_rm(ground: Ground) -> None:
    ground.lay(["add", "--move", ground.files])

    def check(_trial: Killed) -> None:
        assert_whole(ground.home)
        left = [str(one.id) for one in ground.listed()]
        if left:
            ground.succeeds("rm", "-y", *left)
        assert ground.listed() == ()
        assert len([path for path in (ground.home / "trash").iterdir() if path.name[0] != "."]) == FILES

    everything = [str(number + 1) for number in range(FILES)]
    killed_at_random(["rm", "-y", *everything], times=TIMES, prepare=ground.bring_back, check=check)


def test_scan(ground: Ground) -> None:
    ground.lay()
    command = ["scan", str(ground.files)]

    def check(_trial: Killed) -> None:
        assert_whole(ground.home)
        ground.succeeds(*command)
        assert sorted(one.name for one in ground.listed()) == sorted(f"kip{number}" for number in range(FILES))
        assert {one.path for one in ground.listed()} == set(ground.files.iterdir())

    killed_at_random(command, times=TIMES, prepare=ground.bring_back, check=check)


def test_export(ground: Ground, tmp_path: Path) -> None:
    ground.lay(["scan", ground.files])
    webui = tmp_path / "webui"
    command = ["export", "a1111", str(webui)]

    def prepare() -> None:
        shutil.rmtree(webui, ignore_errors=True)
        ground.bring_back()

    def check(_trial: Killed) -> None:
        assert_whole(ground.home)
        for link in webui.rglob("*.safetensors"):
            assert link.is_file(), "whatever stands there already leads to a file"
        ground.succeeds(*command)
        exported = {path.resolve() for path in (webui / "models" / "Lora").iterdir() if path.name[0] != "."}
        assert exported == set(ground.files.iterdir())

    killed_at_random(command, times=TIMES, prepare=prepare, check=check)


def test_convert(ground: Ground) -> None:
    ground.lay()
    for path in ground.files.iterdir():
        weights = {name: torch.zeros(shape) for name, shape in tables.tiny_lora().items()}
        torch.save({**weights, "number": path.stem}, path.with_suffix(".pt"))
        path.unlink()
    shutil.rmtree(ground.kept / "files")
    shutil.copytree(ground.files, ground.kept / "files")
    command = ["convert", *map(str, sorted(ground.files.iterdir()))]

    def check(_trial: Killed) -> None:
        assert_whole(ground.home)
        for path in ground.files.glob("[!.]*.safetensors"):
            assert len(read_table(path).tensors) == len(tables.tiny_lora())
        ground.succeeds(*command)
        results = sorted(path.name for path in ground.files.glob("[!.]*.safetensors"))
        assert results == sorted(f"kip{number}.safetensors" for number in range(FILES))
        assert sorted(one.path.name for one in ground.listed() if one.path.suffix == ".safetensors") == results

    killed_at_random(command, times=TIMES, prepare=ground.bring_back, check=check)


def test_trash_restore(ground: Ground) -> None:
    everything = [str(number + 1) for number in range(FILES)]
    ground.lay(["add", "--move", ground.files], ["rm", "-y", *everything])

    def check(_trial: Killed) -> None:
        assert_whole(ground.home)
        gone = sorted({int(number) for number in everything} - {one.id for one in ground.listed()})
        if gone:
            ground.succeeds("trash", "restore", *gone)
        assert sorted(one.id for one in ground.listed()) == sorted(map(int, everything))
        assert_whole(ground.home)

    killed_at_random(["trash", "restore", *everything], times=TIMES, prepare=ground.bring_back, check=check)
