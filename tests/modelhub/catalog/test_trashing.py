"""What was removed comes back as it was, and whoever is killed while files move loses none of them."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import update

from modelhub.catalog import Catalog, moving, tables
from modelhub.errors import AmbiguousRef, Conflict, NotFound, UnknownRef
from modelhub.workspace import Workspace
from tests.tables import tiny_lora, write


def lora(path: Path, fill: int = 0) -> Path:
    return write(path, tiny_lora(), fill=fill)


@pytest.fixture
def pair(catalog: Catalog, workspace: Workspace) -> tuple[Path, Path]:
    """Two copies of one model."""
    paths = lora(workspace.models / "a" / "kip.safetensors"), lora(workspace.models / "b" / "kip.safetensors")
    for path in paths:
        catalog.add(path, tags=["robot"])
    return paths


def test_the_trash_tells_what_lies_in_it(catalog: Catalog, pair: tuple[Path, Path], workspace: Workspace) -> None:
    assert catalog.trash.list() == ()
    catalog.remove(1)
    (thing,) = catalog.trash.list()
    assert (thing.artifact.id, thing.artifact.name, thing.size) == (1, "kip", 2 * thing.files[0].size)
    assert [at.origin for at in thing.files] == list(pair)
    assert all(at.path.parent == workspace.trash and at.path.is_file() for at in thing.files)


@pytest.mark.parametrize("ref", ["1", "kip"])
def test_what_comes_back_is_as_it_was(catalog: Catalog, pair: tuple[Path, Path], ref: str) -> None:
    before = catalog.artifact(1)
    catalog.remove(1)
    assert catalog.artifact(catalog.trash.restore(ref)) == before
    assert all(path.is_file() for path in pair)
    assert catalog.trash.list() == ()
    assert [one.id for one in catalog.list()] == [1]


def test_a_name_that_was_taken_meanwhile_gets_a_number(catalog: Catalog, workspace: Workspace) -> None:
    catalog.add(lora(workspace.models / "kip.safetensors"))
    catalog.remove(1)
    catalog.add(lora(workspace.models / "2" / "kip.safetensors", 1))
    assert catalog.artifact(catalog.trash.restore("1")).name == "kip-2"


def test_a_file_that_stands_there_now_is_named_and_left_alone(catalog: Catalog, pair: tuple[Path, Path]) -> None:
    catalog.remove(1)
    pair[1].write_bytes(b"another")
    with pytest.raises(Conflict, match=str(pair[1])):
        catalog.trash.restore("1")
    assert pair[1].read_bytes() == b"another"
    assert not pair[0].exists()
    assert len(catalog.trash.list()) == 1


def test_a_place_that_another_model_is_known_at_is_left_to_it(catalog: Catalog, workspace: Workspace) -> None:
    path = lora(workspace.models / "kip.safetensors")
    catalog.add(path)
    catalog.remove(1)
    catalog.add(lora(path, 1)).path.unlink()
    with pytest.raises(Conflict, match=r"2 \(kip\) is known to lie") as caught:
        catalog.trash.restore("1")
    assert caught.value.mend == "modelhub rm 2"


def test_what_a_scan_made_of_a_file_on_its_way_back_redirects(
    catalog: Catalog, pair: tuple[Path, Path], workspace: Workspace
) -> None:
    catalog.remove(1)
    killed(workspace, "restore", "after the first of two")
    code = "import sys, pathlib; from modelhub.catalog.adding import Wish, put; from modelhub.catalog.database import *"
    add = f"{code}; put(Database(pathlib.Path(sys.argv[1])), pathlib.Path(sys.argv[2]), Wish())"
    subprocess.run([sys.executable, "-c", add, str(workspace.catalog), str(pair[0])], check=True)
    with Catalog.open(workspace) as opened:
        assert opened.artifact(1).locations[0].path == pair[0]
        assert opened.artifact(2).id == 1
        assert [one.id for one in opened.list()] == [1]


def test_only_what_is_in_the_trash_can_be_restored(catalog: Catalog, tmp_path: Path, workspace: Workspace) -> None:
    for fill in (1, 2):
        catalog.add(lora(workspace.models / "kip.safetensors", fill))
        catalog.remove(fill)
    with pytest.raises(AmbiguousRef, match=r"2 \(kip\) or 1 \(kip\)"):
        catalog.trash.restore("kip")
    with pytest.raises(NotFound, match="nobody"):
        catalog.trash.restore("nobody")


def test_what_was_trashed_before_places_were_remembered_goes_to_its_kind(
    catalog: Catalog, workspace: Workspace
) -> None:
    catalog.add(lora(workspace.models / "x" / "kip.safetensors"))
    catalog.remove(1)
    with catalog._database.writing() as connection:
        connection.execute(update(tables.location).values(origin=None))
    assert catalog.artifact(catalog.trash.restore("1")).path == workspace.models / "lora" / "kip.safetensors"


def test_what_is_discarded_stays_known_to_lineage(catalog: Catalog, pair: tuple[Path, Path]) -> None:
    run = catalog.begin_run("generate", {}, [("lora", 1)])
    catalog.remove(1)
    (thing,) = catalog.trash.list()
    thing.files[0].path.unlink()
    catalog.trash.discard(thing)
    assert not any(at.path.exists() for at in thing.files)
    assert (catalog.trash.list(), catalog.names([1]), catalog.run(run).inputs) == ((), {1: "kip"}, (("lora", 1),))
    with pytest.raises(UnknownRef):
        catalog.artifact(1)


def test_a_model_is_trashed_restored_and_trashed_again(catalog: Catalog, pair: tuple[Path, Path]) -> None:
    for _ in range(2):
        catalog.remove(1)
        catalog.trash.discard(catalog.trash.list()[0]) if _ else catalog.trash.restore("1")
    assert catalog.trash.list() == ()


_DYING = """
import os, pathlib, signal, sys
from modelhub.catalog import Catalog, trashing
from modelhub.workspace import Workspace

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

def once_then_die():
    begun = []
    move = trashing.move
    return lambda *paths: die() if begun else (begun.append(1), move(*paths))

root, action, point = sys.argv[1:]
with Catalog.open(Workspace(pathlib.Path(root))) as catalog:
    if point == "before the first move":
        trashing.carry = die
    if point == "between link and unlink":
        pathlib.Path.unlink = die
    if point == "after the first of two":
        trashing.move = once_then_die()
    if point == "before the last commit":
        trashing.settled = die
    catalog.remove(1) if action == "remove" else catalog.trash.restore("1")
"""
POINTS = ("before the first move", "between link and unlink", "after the first of two", "before the last commit")


def killed(workspace: Workspace, action: str, point: str) -> None:
    process = subprocess.run([sys.executable, "-c", _DYING, str(workspace.root), action, point], check=False)
    assert process.returncode == -signal.SIGKILL


@pytest.mark.parametrize("point", POINTS)
def test_a_removal_that_was_killed_is_finished_by_the_next_to_open(
    catalog: Catalog, pair: tuple[Path, Path], workspace: Workspace, point: str
) -> None:
    content = pair[0].read_bytes()
    killed(workspace, "remove", point)
    with Catalog.open(workspace) as opened:
        (thing,) = opened.trash.list()
        assert [at.path.read_bytes() for at in thing.files] == [content, content]
        assert not any(path.exists() for path in pair)
        assert opened.list() == ()
        assert opened.last_run("trash") is None
    assert len(list(workspace.trash.iterdir())) == 2


@pytest.mark.parametrize("point", POINTS)
def test_a_restoring_that_was_killed_is_finished_by_the_next_to_open(
    catalog: Catalog, pair: tuple[Path, Path], workspace: Workspace, point: str
) -> None:
    content = pair[0].read_bytes()
    catalog.remove(1)
    killed(workspace, "restore", point)
    with Catalog.open(workspace) as opened:
        assert [at.path for at in opened.artifact(1).locations] == list(pair)
        assert [path.read_bytes() for path in pair] == [content, content]
        assert opened.trash.list() == ()
    assert list(workspace.trash.iterdir()) == []


def test_a_restoring_that_was_killed_overwrites_nothing_that_came_since(
    catalog: Catalog, pair: tuple[Path, Path], workspace: Workspace
) -> None:
    catalog.remove(1)
    killed(workspace, "restore", "after the first of two")
    pair[1].write_bytes(b"another")
    with Catalog.open(workspace) as opened:
        assert pair[1].read_bytes() == b"another"
        assert len(opened.trash.list()[0].files) == 2
    assert not pair[0].exists()
    assert len(list(workspace.trash.iterdir())) == 2


def test_a_removal_in_progress_is_left_to_its_process(
    catalog: Catalog, pair: tuple[Path, Path], workspace: Workspace
) -> None:
    catalog.begin_run("trash", {"artifact": 1, "moves": []})
    with Catalog.open(workspace) as opened:
        assert opened.artifact(1).id == 1


@pytest.fixture
def other_disk() -> Iterator[Path]:
    folder = Path("/dev/shm") / f"modelhub-test-{os.getpid()}"
    if not folder.parent.is_dir():
        pytest.skip("there is no second file system")
    folder.mkdir()
    yield folder
    shutil.rmtree(folder)


def test_a_file_moves_to_another_disk_with_its_time(tmp_path: Path, other_disk: Path) -> None:
    source, target = lora(tmp_path / "kip.safetensors"), other_disk / "new" / "kip.safetensors"
    before, content = source.stat().st_mtime_ns, source.read_bytes()
    moving.move(source, target)
    assert (target.read_bytes(), target.stat().st_mtime_ns, source.exists()) == (content, before, False)


def test_a_folder_moves_to_another_disk_whole(tmp_path: Path, other_disk: Path) -> None:
    lora(tmp_path / "model" / "unet" / "a.safetensors")
    moving.move(tmp_path / "model", other_disk / "model")
    assert (other_disk / "model" / "unet" / "a.safetensors").is_file()
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize("disk", ["same", "other"])
def test_a_move_can_be_begun_again_after_its_copy(tmp_path: Path, other_disk: Path, disk: str) -> None:
    target = (other_disk if disk == "other" else tmp_path) / "there" / "kip.safetensors"
    source = lora(tmp_path / "kip.safetensors")
    target.parent.mkdir()
    shutil.copyfile(source, target)
    moving.move(source, target)
    moving.move(source, target)
    assert target.is_file()
    assert not source.exists()


@pytest.mark.parametrize("disk", ["same", "other"])
def test_a_move_overwrites_nothing(tmp_path: Path, other_disk: Path, disk: str) -> None:
    target = (other_disk if disk == "other" else tmp_path) / "taken.safetensors"
    source = lora(tmp_path / "kip.safetensors")
    target.write_bytes(b"another")
    with pytest.raises(FileExistsError, match=r"taken\.safetensors"):
        moving.move(source, target)
    assert (source.is_file(), target.read_bytes()) == (True, b"another")


def test_a_folder_that_was_half_deleted_after_its_copy_is_finished(tmp_path: Path) -> None:
    for name in ("a", "b"):
        lora(tmp_path / "model" / f"{name}.safetensors")
    shutil.copytree(tmp_path / "model", tmp_path / "moved")
    (tmp_path / "model" / "a.safetensors").unlink()
    moving.move(tmp_path / "model", tmp_path / "moved")
    assert sorted(path.name for path in (tmp_path / "moved").iterdir()) == ["a.safetensors", "b.safetensors"]
    assert not (tmp_path / "model").exists()
