"""Shows the collection to another tool in the tool's own folders, as links to the files where they lie."""

import os
from collections.abc import Collection, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from pathlib import Path

from modelhub.catalog import Catalog
from modelhub.jobs import Cancel, Done, Job, Notice, Progress
from modelhub.kinds import Artifact
from modelhub.upkeep.export.exported import (
    MANIFEST,
    Exported,
    Made,
    copy_mark,
    hard_mark,
    marks_at,
    read_exported,
    text_mark,
    write_exported,
)
from modelhub.upkeep.export.layouts import Links
from modelhub.upkeep.export.placing import part_of, place, reason_for
from modelhub.upkeep.export.showing import Link, linked, shown
from modelhub.upkeep.quarantine import usable

__all__ = ["Export", "ExportReport", "export"]

_NOT_OURS = "something else stands there under that name"


@dataclass(frozen=True, slots=True)
class Export:
    """What to show, to whom, where."""

    layout: str
    """A key of `LAYOUTS`."""
    folder: Path
    """The tool's own, e.g. where its ``models`` are."""
    links: Links = Links.SYMBOLIC
    sidecars: bool = False
    """Trigger words, notes and previews too."""


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What was done, or with a dry run would be; paths are below the export's folder."""

    made: tuple[tuple[str, int], ...] = ()
    """(path, catalog ID), new or pointing elsewhere now."""
    kept: int = 0
    """Right already."""
    removed: tuple[str, ...] = ()
    left: tuple[tuple[str, str], ...] = ()
    """(path, why): not ours, or not to be replaced."""
    skipped: tuple[tuple[int, str], ...] = ()
    """(catalog ID, why) of models that the tool cannot be shown."""
    failed: tuple[tuple[str, str], ...] = ()
    """(path, why)."""


def export(
    catalog: Catalog,
    wish: Export,
    wanted: Sequence[Artifact],
    *,
    dry_run: bool = False,
    cancel: Cancel | None = None,
) -> Job[ExportReport]:
    """Make a link for each of `wanted`, and take away our own links to what has left the catalog.

    May be killed at any moment, and repeated: what is ours is written down before it is made. Nothing else in the
    folder is ever touched.
    """
    exported = read_exported(_absolute(wish.folder), wish.layout)
    wanted, kept_back = usable(wanted, catalog.workspace)
    alive = catalog.held({one.artifact_id for one in exported.made.values()})
    work = _decided(replace(wish, folder=_absolute(wish.folder)), wanted, exported, alive)
    yield from (Notice(f"left alone: {name}: {why}") for name, why in work.left)
    yield from (Notice(f"not shown: {one}: {why}") for one, why in kept_back)
    if not dry_run:
        _sweep(work.wish.folder, exported)
    failed = {} if dry_run or not work.is_any else (yield from _done(work, exported, cancel))
    yield Done(
        ExportReport(
            made=tuple((link.name, link.artifact_id) for link, _ in work.make if link.name not in failed),
            kept=work.kept,
            removed=work.removed,
            left=work.left,
            skipped=(*work.skipped, *kept_back),
            failed=(*work.unreadable, *failed.items()),
        )
    )


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))


# What is there


@dataclass(frozen=True, slots=True)
class _Work:
    """All that there is to do in a folder."""

    wish: Export
    make: tuple[tuple[Link, str], ...]
    """Each with the mark by which it will be known."""
    kept: int
    stale: tuple[str, ...]
    """Names that are no longer ours to keep: taken away, or left with their reason."""
    left: tuple[tuple[str, str], ...]
    skipped: tuple[tuple[int, str], ...]
    unreadable: tuple[tuple[str, str], ...]

    @property
    def is_any(self) -> bool:
        return bool(self.make or self.stale)

    @property
    def removed(self) -> tuple[str, ...]:
        kept = dict(self.left)
        return tuple(name for name in self.stale if name not in kept)


def _decided(wish: Export, wanted: Sequence[Artifact], exported: Exported, alive: Collection[int]) -> _Work:
    lowest = sorted(wanted, key=lambda one: one.id)
    each = [shown(one, wish.layout, wish.folder, exported.made) for one in lowest]
    links = list(linked(each, sidecars=wish.sidecars))
    looked_at = {one.artifact.id for one in each if one.source is not None}
    stale = _stale(exported, {link.name for link in links}, looked_at, alive)
    verdicts = [(link, *_verdict(link, wish, exported)) for link in links]
    return _Work(
        wish=wish,
        make=tuple((link, told) for link, verdict, told in verdicts if verdict is _Verdict.MAKE),
        kept=sum(verdict is _Verdict.KEEP for _, verdict, _ in verdicts),
        stale=stale,
        left=(
            *((link.name, told) for link, verdict, told in verdicts if verdict is _Verdict.LEAVE),
            *_not_removable(wish.folder, stale, exported),
        ),
        skipped=tuple((one.artifact.id, one.unfit) for one in each if one.unfit),
        unreadable=tuple((link.name, told) for link, verdict, told in verdicts if verdict is _Verdict.FAIL),
    )


class _Verdict(Enum):
    MAKE = auto()
    KEEP = auto()
    LEAVE = auto()
    FAIL = auto()


def _verdict(link: Link, wish: Export, exported: Exported) -> tuple[_Verdict, str]:
    """What to do about one name, with its mark or the reason."""
    path = wish.folder / link.name
    there, owned = marks_at(path), exported.owns(wish.folder, link.name)
    try:
        mark = _mark(link, wish.links)
    except OSError as error:
        return _Verdict.FAIL, reason_for(error, wish.links)
    if owned and mark not in exported.made[link.name].marks:  # a hard link, say, where a copy is wanted now
        return _Verdict.MAKE, mark
    if mark in there:
        return _Verdict.KEEP, mark
    return (_Verdict.MAKE, mark) if owned or not there else (_Verdict.LEAVE, _NOT_OURS)


def _mark(link: Link, how: Links) -> str:
    if link.source is None:
        return text_mark(link.text)
    if how is Links.SYMBOLIC:
        return f"symbolic {link.source}"
    there = link.source.stat()
    return hard_mark(there) if how is Links.HARD else copy_mark(there)


def _stale(
    exported: Exported, wanted: Collection[str], looked_at: Collection[int], alive: Collection[int]
) -> tuple[str, ...]:
    """Our names for what has left the catalog, or is shown under another name now."""
    return tuple(
        name
        for name, one in exported.made.items()
        if name not in wanted and (one.artifact_id not in alive or one.artifact_id in looked_at)
    )


def _not_removable(folder: Path, stale: Sequence[str], exported: Exported) -> Iterator[tuple[str, str]]:
    for name in stale:
        if not os.path.lexists(folder / name):
            continue
        if not exported.owns(folder, name):
            yield name, "it was changed since it was made here"
        elif _is_last_name(folder / name, exported.made[name]):
            yield name, "it is the last name of its file"


def _is_last_name(path: Path, made: Made) -> bool:
    """Whether taking away a hard link would take the bytes."""
    return any(mark.startswith("hard ") for mark in made.marks) and path.lstat().st_nlink == 1


# Acting


def _done(work: _Work, exported: Exported, cancel: Cancel | None) -> Generator[Progress, None, dict[str, str]]:
    """Do it, and return what failed: path -> why."""
    wish = work.wish
    planned = {link.name: Made(link.artifact_id, (mark,)) for link, mark in work.make}
    wish.folder.mkdir(parents=True, exist_ok=True)
    write_exported(wish.folder, wish.layout, exported.with_plans(planned))
    failed: dict[str, str] = {}
    for number, (link, _) in enumerate(work.make, start=1):
        if cancel:
            cancel.check()
        try:
            place(wish.folder / link.name, link, wish.links, replaces=link.name in exported.made)
        except OSError as error:
            failed[link.name] = reason_for(error, wish.links)
        yield Progress("export", number, len(work.make), "files")
    for name in work.removed:
        (wish.folder / name).unlink(missing_ok=True)
    still = {name: one for name, one in exported.made.items() if name not in work.stale}
    succeeded = {name: one for name, one in planned.items() if name not in failed}
    write_exported(wish.folder, wish.layout, Exported({**still, **succeeded}))
    return failed


def _sweep(folder: Path, exported: Exported) -> None:
    """Take away what a kill left half made."""
    for left in (*(part_of(folder / name) for name in exported.made), *folder.glob(f".{MANIFEST}.*.part")):
        left.unlink(missing_ok=True)
