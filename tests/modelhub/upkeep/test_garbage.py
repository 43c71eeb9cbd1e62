"""Only what is old enough goes, and what is used by nobody."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from modelhub.catalog import Catalog
from modelhub.jobs import Notice, drain
from modelhub.upkeep.garbage import Limits, Sort, collect, find
from modelhub.workspace import Workspace
from tests.tables import tiny_lora, write

NOW = datetime.now(UTC)


def aged(path: Path, age: timedelta) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * 10)
    then = (NOW - age).timestamp()
    os.utime(path, (then, then))
    return path


def found(catalog: Catalog, limits: Limits | None = None) -> list[tuple[Sort, Path]]:
    return [(one.sort, one.path) for one in find(catalog, limits or Limits(), NOW)]


HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def test_an_empty_workspace_has_no_garbage(catalog: Catalog) -> None:
    assert found(catalog) == []


@pytest.mark.parametrize(
    "folder", ["", "models/lora", "outputs/2026-01-01", "runs/1", "cache/latents", "trash", "journals"]
)
def test_half_written_files_go_after_an_hour(catalog: Catalog, workspace: Workspace, folder: str) -> None:
    old = aged(workspace.root / folder / ".kip.safetensors.a1.part", 2 * HOUR)
    aged(workspace.root / folder / ".kip.safetensors.b2.part", HOUR / 2)
    aged(workspace.root / folder / "kip.part", 2 * HOUR)
    assert found(catalog) == [(Sort.PARTIAL, old)]


def test_what_nobody_went_on_pulling_goes_after_a_week(catalog: Catalog, workspace: Workspace) -> None:
    old = aged(workspace.incoming / "one" / "kip.safetensors.part", 8 * DAY).parent
    lock = aged(workspace.incoming / "one.lock", 8 * DAY)
    young = aged(workspace.incoming / "two" / "mo.safetensors.part", 2 * DAY).parent
    for folder in (old, young):
        os.utime(folder, ((NOW - 8 * DAY).timestamp(),) * 2)
    assert sorted(found(catalog)) == [(Sort.INCOMING, old), (Sort.INCOMING, lock)]
    drain(collect(catalog, find(catalog, Limits(), NOW)))
    assert list(workspace.incoming.iterdir()) == [young]


def test_half_written_folders_go_whole(catalog: Catalog, workspace: Workspace) -> None:
    folder = aged(workspace.trash / ".1-model.part" / "unet" / "a.safetensors", 2 * HOUR).parents[1]
    assert found(catalog) == []
    os.utime(folder, ((NOW - 2 * HOUR).timestamp(),) * 2)
    (one,) = find(catalog, Limits(), NOW)
    drain(collect(catalog, [one]))
    assert (one.size, folder.exists()) == (10, False)


def test_somebody_elses_folders_are_not_searched(catalog: Catalog, workspace: Workspace) -> None:
    aged(workspace.root / "project" / ".x.part", 2 * HOUR)
    assert found(catalog) == []


def test_cache_goes_when_it_was_not_used(catalog: Catalog, workspace: Workspace) -> None:
    old = aged(workspace.cache / "latents" / "a", 31 * DAY)
    read = aged(workspace.cache / "latents" / "b", 31 * DAY)
    os.utime(read, (NOW.timestamp(), read.stat().st_mtime))
    assert found(catalog) == [(Sort.CACHE, old)]
    assert len(found(catalog, Limits(cache=DAY / 2))) == 1
    assert found(catalog, Limits(cache=None)) == []


def test_the_trash_is_left_unless_it_is_asked_for(catalog: Catalog, workspace: Workspace) -> None:
    catalog.add(write(workspace.models / "kip.safetensors", tiny_lora()))
    catalog.remove(1)
    assert found(catalog) == []
    assert found(catalog, Limits(trash=DAY)) == []
    later = NOW + 2 * DAY
    (one,) = find(catalog, Limits(trash=DAY), later)
    drain(collect(catalog, [one]))
    assert (one.sort, one.path.exists(), catalog.trash.list()) == (Sort.TRASH, False, ())


def test_journals_go_after_a_season(catalog: Catalog, workspace: Workspace) -> None:
    old = aged(workspace.root / "journals" / "dedupe-1.jsonl", 91 * DAY)
    aged(workspace.root / "journals" / "dedupe-2.jsonl", 89 * DAY)
    assert found(catalog) == [(Sort.JOURNAL, old)]


def test_the_three_newest_backups_stay(catalog: Catalog, workspace: Workspace) -> None:
    paths = [aged(workspace.root / f"catalog.db.bak-{number:04}", (9 - number) * DAY) for number in range(5)]
    assert found(catalog) == [(Sort.BACKUP, paths[1]), (Sort.BACKUP, paths[0])]


def test_a_partial_hard_link_frees_nothing(catalog: Catalog, workspace: Workspace) -> None:
    path = aged(workspace.models / ".a.part", 2 * HOUR)
    os.link(path, workspace.models / "a")
    assert [one.size for one in find(catalog, Limits(), NOW)] == [0]


def test_collecting_deletes_and_tidies(catalog: Catalog, workspace: Workspace) -> None:
    for number in range(50):
        catalog.begin_run("generate", {"n": number})
    aged(workspace.cache / "a", 31 * DAY)
    done = drain(collect(catalog, find(catalog, Limits(), NOW)))
    assert (len(done.deleted), done.bytes) == (1, 10)
    assert done.tidied > 0
    assert found(catalog) == []
    assert catalog.run(50).payload["n"] == 49


def test_what_cannot_be_deleted_is_named_and_left(catalog: Catalog, workspace: Workspace) -> None:
    path = aged(workspace.cache / "a", 31 * DAY)
    garbage = find(catalog, Limits(), NOW)
    path.unlink()
    path.mkdir()
    events = list(collect(catalog, garbage))
    assert isinstance(events[0], Notice)
    assert str(path) in events[0].message
