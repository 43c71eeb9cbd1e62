"""Equal files are found, linked only after they were compared, and given their own bytes again."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from modelhub.catalog import Catalog, tables
from modelhub.errors import BadValue, MissingFile
from modelhub.jobs import Progress, drain
from modelhub.upkeep.dedupe import Duplicates, find
from modelhub.upkeep.linking import journals, link, undo
from modelhub.upkeep.verify import verify
from modelhub.workspace import Workspace
from tests.tables import tiny_lora, write


def lora(path: Path, fill: int = 0) -> Path:
    return write(path, tiny_lora(), fill=fill)


@pytest.fixture
def copies(catalog: Catalog, tmp_path: Path) -> tuple[Path, Path, Path]:
    """Three files of one model, and one of another."""
    catalog.add(lora(tmp_path / "other.safetensors", 1))
    paths = tuple(lora(tmp_path / folder / "kip.safetensors") for folder in "abc")
    for number, path in enumerate(paths):
        os.utime(path, ns=(number + 1, number + 1))
        catalog.add(path)
    return paths[0], paths[1], paths[2]


def found(catalog: Catalog) -> Duplicates:
    return drain(find(catalog))


def inodes(*paths: Path) -> int:
    return len({path.stat().st_ino for path in paths})


def test_copies_of_one_model_are_found(catalog: Catalog, copies: tuple[Path, ...]) -> None:
    duplicates = found(catalog)
    (group,) = duplicates.groups
    assert [copy.paths for copy in group.copies] == [(path,) for path in copies]
    assert duplicates.bytes == duplicates.linkable == 2 * copies[0].stat().st_size


def test_models_that_were_never_hashed_are_compared(catalog: Catalog, tmp_path: Path) -> None:
    """As a scan that hashes nothing leaves them."""
    for fill, name in enumerate(("a", "b")):
        catalog.add(lora(tmp_path / f"{name}.safetensors", fill))
    path = tmp_path / "b.safetensors"
    shutil.copyfile(tmp_path / "a.safetensors", path)
    with catalog._database.writing() as connection:
        connection.execute(tables.digest.delete())
    catalog.files.refresh(path)
    events = list(find(catalog))
    assert len([event for event in events if isinstance(event, Progress)]) == 2
    (group,) = found(catalog).groups
    assert [copy.artifact_id for copy in group.copies] == [1, 2]
    assert catalog.artifact(2).digests["sha256"] == group.sha256


def test_what_differs_at_its_ends_is_not_read_through(catalog: Catalog, tmp_path: Path) -> None:
    for fill in (1, 2):
        catalog.add(lora(tmp_path / f"{fill}.safetensors", fill))
    with catalog._database.writing() as connection:
        connection.execute(tables.digest.delete())
    assert not [event for event in find(catalog) if isinstance(event, Progress)]
    assert catalog.artifact(1).digests == {}


def test_two_names_of_one_file_are_no_duplicate(catalog: Catalog, tmp_path: Path) -> None:
    path = lora(tmp_path / "kip.safetensors")
    catalog.add(path)
    os.link(path, tmp_path / "again.safetensors")
    catalog.add(tmp_path / "again.safetensors")
    (tmp_path / "soft.safetensors").symlink_to(path)
    catalog.add(tmp_path / "soft.safetensors")
    assert found(catalog).groups == ()


def test_linking_shares_the_bytes_and_leaves_nothing_behind(catalog: Catalog, copies: tuple[Path, ...]) -> None:
    content = copies[0].read_bytes()
    linked = drain(link(catalog, found(catalog)))
    assert (linked.linked, linked.skipped, linked.saved) == (copies[1:], (), 2 * len(content))
    assert inodes(*copies) == 1
    assert all(path.read_bytes() == content for path in copies)
    assert not [path for copy in copies for path in copy.parent.iterdir() if path not in copies]
    assert found(catalog).groups == ()


def test_the_catalog_knows_of_the_links(catalog: Catalog, copies: tuple[Path, ...]) -> None:
    drain(link(catalog, found(catalog)))
    places = catalog.resolve("kip").locations
    assert len({at.file_key for at in places}) == 1
    assert {check.verdict for check in drain(verify(catalog, quick=True))} == {"same"}


def test_undoing_gives_every_file_its_bytes_and_time(catalog: Catalog, copies: tuple[Path, ...]) -> None:
    copies[2].chmod(0o600)
    linked = drain(link(catalog, found(catalog)))
    assert linked.journal
    undone = drain(undo(catalog, linked.journal))
    assert sorted(undone.restored) == sorted(copies[1:])
    assert inodes(*copies) == 3
    assert [path.stat().st_mtime_ns for path in copies] == [1, 2, 3]
    assert copies[2].stat().st_mode & 0o777 == 0o600
    assert {check.verdict for check in drain(verify(catalog, quick=True))} == {"same"}


def test_undoing_twice_changes_nothing(catalog: Catalog, copies: tuple[Path, ...]) -> None:
    journal = drain(link(catalog, found(catalog))).journal
    assert journal
    drain(undo(catalog, journal))
    again = drain(undo(catalog, journal))
    assert (again.restored, len(again.skipped)) == ((), 2)


def test_what_changed_since_it_was_found_is_left_alone(catalog: Catalog, copies: tuple[Path, ...]) -> None:
    duplicates = found(catalog)
    changed = copies[1].read_bytes()[:-1] + b"\x07"
    copies[1].write_bytes(changed)
    linked = drain(link(catalog, duplicates))
    assert linked.linked == (copies[2],)
    assert [(one.path, "differ" in one.why) for one in linked.skipped] == [(copies[1], True)]
    assert copies[1].read_bytes() == changed


def test_nothing_is_linked_when_the_kept_file_changed(catalog: Catalog, copies: tuple[Path, ...]) -> None:
    duplicates = found(catalog)
    copies[0].write_bytes(b"\0" * copies[0].stat().st_size)
    linked = drain(link(catalog, duplicates))
    assert (linked.linked, linked.journal, len(linked.skipped)) == ((), None, 2)
    assert not journals(catalog.workspace).exists()


def test_a_file_with_names_that_the_catalog_does_not_know_is_left_alone(
    catalog: Catalog, copies: tuple[Path, ...], tmp_path: Path
) -> None:
    os.link(copies[1], tmp_path / "elsewhere")
    linked = drain(link(catalog, found(catalog)))
    assert linked.linked == (copies[2],)
    assert "more names" in linked.skipped[0].why


def test_a_spare_file_with_two_known_names_is_saved_once(catalog: Catalog, copies: tuple[Path, ...]) -> None:
    second = copies[1].with_name("second.safetensors")
    os.link(copies[1], second)
    catalog.add(second)
    linked = drain(link(catalog, found(catalog)))
    assert set(linked.linked) == {copies[1], copies[2], second}
    assert linked.saved == 2 * copies[0].stat().st_size
    assert inodes(*copies, second) == 1


@pytest.fixture
def other_disk() -> Iterator[Path]:
    folder = Path("/dev/shm") / f"modelhub-dedupe-{os.getpid()}"
    if not folder.parent.is_dir():
        pytest.skip("there is no second file system")
    folder.mkdir()
    yield folder
    shutil.rmtree(folder)


def test_other_disks_are_reported_and_never_touched(
    catalog: Catalog, copies: tuple[Path, ...], other_disk: Path
) -> None:
    far = lora(other_disk / "kip.safetensors")
    catalog.add(far)
    duplicates, size = found(catalog), far.stat().st_size
    assert (duplicates.bytes, duplicates.linkable) == (3 * size, 2 * size)
    drain(link(catalog, duplicates))
    assert far.stat().st_nlink == 1


def test_a_folder_that_cannot_be_written_is_reported(catalog: Catalog, copies: tuple[Path, ...]) -> None:
    mount = ["mount", "--bind", str(copies[1].parent), str(copies[1].parent)]
    duplicates = found(catalog)
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root can make a folder that nobody can write")
    try:
        linked = drain(link(catalog, duplicates))
    finally:
        subprocess.run(["umount", str(copies[1].parent)], check=True)
    assert linked.linked == (copies[2],)
    assert "could not be linked" in linked.skipped[0].why


@pytest.mark.parametrize("point", ["replace", "link"])
def test_a_linking_that_was_killed_loses_nothing(
    catalog: Catalog, copies: tuple[Path, ...], workspace: Workspace, point: str
) -> None:
    code = f"""
import os, pathlib, signal
from modelhub.catalog import Catalog
from modelhub.jobs import drain
from modelhub.upkeep import dedupe, linking
from modelhub.workspace import Workspace

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

catalog = Catalog.open(Workspace(pathlib.Path({str(workspace.root)!r})))
duplicates = drain(dedupe.find(catalog))
if {point!r} == "replace":
    pathlib.Path.replace = die
else:
    os.link = die
drain(linking.link(catalog, duplicates))
"""
    content = copies[0].read_bytes()
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -signal.SIGKILL
    assert all(path.read_bytes() == content for path in copies)
    (journal,) = journals(workspace).iterdir()
    undone = drain(undo(catalog, journal))
    assert (undone.restored, inodes(*copies)) == ((), 3)


def test_a_journal_that_was_cut_off_is_read_as_far_as_it_goes(catalog: Catalog, copies: tuple[Path, ...]) -> None:
    journal = drain(link(catalog, found(catalog))).journal
    assert journal
    with journal.open("a", encoding="utf-8") as file:
        file.write('{"link": "/x')
    assert len(drain(undo(catalog, journal)).restored) == 2


def test_what_is_no_journal_is_refused(catalog: Catalog, tmp_path: Path) -> None:
    with pytest.raises(MissingFile):
        drain(undo(catalog, tmp_path / "none.jsonl"))
    (tmp_path / "other.jsonl").write_text(json.dumps({"a": 1}))
    with pytest.raises(BadValue, match="no journal"):
        drain(undo(catalog, tmp_path / "other.jsonl"))
