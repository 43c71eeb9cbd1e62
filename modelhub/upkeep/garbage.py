"""What nobody needs any more: finds it (a look at names, sizes and times), deletes it, and tidies the database."""

import os
import shutil
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

from modelhub.catalog import Catalog, Trashed
from modelhub.jobs import Done, Job, Notice, Progress
from modelhub.upkeep.linking import journals
from modelhub.upkeep.trash import due
from modelhub.workspace import Workspace

__all__ = ["Collected", "Garbage", "Limits", "Sort", "collect", "find"]


class Sort(StrEnum):
    """Why something is garbage."""

    PARTIAL = "partial"
    """Half written by a process that is gone."""
    INCOMING = "incoming"
    """What came of a model that nobody went on pulling."""
    CACHE = "cache"
    TRASH = "trash"
    JOURNAL = "journal"
    BACKUP = "backup"
    """A copy of the catalog from before it was migrated."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How old things must be; None keeps them whatever their age."""

    partial: timedelta = timedelta(hours=1)
    incoming: timedelta = timedelta(days=7)
    """Since it last grew."""
    cache: timedelta | None = timedelta(days=30)
    """Since it was last used."""
    trash: timedelta | None = None
    journal: timedelta = timedelta(days=90)
    backups: int = 3
    """So many of the newest are kept."""


@dataclass(frozen=True, slots=True)
class Garbage:
    """One thing that can go."""

    sort: Sort
    path: Path
    size: int
    """Bytes that deleting it frees: none of a file that has other names."""
    trashed: Trashed | None = None
    """For what goes with its record in the trash."""


@dataclass(frozen=True, slots=True)
class Collected:
    """What deleting came to."""

    deleted: tuple[Garbage, ...]
    bytes: int
    tidied: int
    """Bytes that the database itself gave back."""


def find(catalog: Catalog, limits: Limits, now: datetime) -> tuple[Garbage, ...]:
    """Everything in the workspace that is older than its limit."""
    space = catalog.workspace
    found = [*_partials(space, now - limits.partial), *_journals(space, now - limits.journal)]
    found += _abandoned(space.incoming, now - limits.incoming)
    if limits.cache is not None:
        found += _unused(space.cache, now - limits.cache)
    if limits.trash is not None:
        found += _trashed(due(catalog.trash.list(), older_than=limits.trash, now=now))
    return (*found, *_backups(space, limits.backups))


def collect(catalog: Catalog, garbage: Sequence[Garbage]) -> Job[Collected]:
    """Delete it, then let the database tidy itself; what cannot be deleted is named and left."""
    deleted = []
    for number, one in enumerate(garbage, start=1):
        try:
            _delete(catalog, one)
        except OSError as error:
            yield Notice(f"left: {one.path} ({error.strerror})")
        else:
            deleted.append(one)
        yield Progress("gc", number, len(garbage), "files")
    tidied = catalog.tidy()
    yield Done(Collected(tuple(deleted), sum(one.size for one in deleted), tidied))


def _delete(catalog: Catalog, one: Garbage) -> None:
    if one.trashed:
        catalog.trash.discard(one.trashed)
    elif one.path.is_dir() and one.sort in (Sort.PARTIAL, Sort.INCOMING):
        shutil.rmtree(one.path)
    else:
        one.path.unlink(missing_ok=True)


def _partials(space: Workspace, before: datetime) -> Iterator[Garbage]:
    """As `workspace.publish` and `upkeep.linking` name what they have not finished."""
    folders = (space.models, space.outputs, space.runs, space.cache, space.trash, journals(space))
    tops = space.root.glob(".*.part") if space.root.is_dir() else ()
    for path in (*tops, *(path for folder in folders for path in folder.rglob(".*.part"))):
        yield from _old(Sort.PARTIAL, [path], before)


def _abandoned(incoming: Path, before: datetime) -> Iterator[Garbage]:
    """Parcels of which no file has changed for long, and their locks."""
    for path in incoming.iterdir() if incoming.is_dir() else ():
        with suppress(FileNotFoundError):
            newest = max(one.lstat().st_mtime for one in (path, *path.rglob("*")))
            if datetime.fromtimestamp(newest, UTC) < before:
                yield Garbage(Sort.INCOMING, path, _freed(path, path.lstat()))


def _journals(space: Workspace, before: datetime) -> Iterator[Garbage]:
    yield from _old(Sort.JOURNAL, journals(space).glob("dedupe-*.jsonl"), before)


def _unused(folder: Path, before: datetime) -> Iterator[Garbage]:
    files = (path for path in folder.rglob("*") if not path.name.endswith(".part"))
    yield from _old(Sort.CACHE, files, before)


def _old(sort: Sort, paths: Iterable[Path], before: datetime) -> Iterator[Garbage]:
    for path in paths:
        with suppress(FileNotFoundError):  # its process has just finished it
            there = path.lstat()
            used = max(there.st_mtime, there.st_atime if sort is Sort.CACHE else 0)
            if (stat.S_ISREG(there.st_mode) or sort is Sort.PARTIAL) and datetime.fromtimestamp(used, UTC) < before:
                yield Garbage(sort, path, _freed(path, there))


def _freed(path: Path, there: os.stat_result) -> int:
    if stat.S_ISDIR(there.st_mode):
        return sum(each.stat().st_size for each in path.rglob("*") if each.is_file())
    return there.st_size if there.st_nlink == 1 else 0


def _trashed(things: Iterable[Trashed]) -> Iterator[Garbage]:
    yield from (Garbage(Sort.TRASH, thing.files[0].path, thing.size, thing) for thing in things)


def _backups(space: Workspace, kept: int) -> Iterator[Garbage]:
    found = sorted(space.root.glob(f"{space.catalog.name}.bak-*"), key=lambda path: path.stat().st_mtime, reverse=True)
    yield from (Garbage(Sort.BACKUP, path, path.stat().st_size) for path in found[kept:])
