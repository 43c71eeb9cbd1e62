"""Brings the catalog up to what lies on the disks: what is new, moved, changed, missing or back.

Nothing but the catalog is written. Each file is a transaction of its own, so a scan that is stopped loses nothing,
and the next one goes on.
"""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from modelhub.catalog import Catalog, KnownFile, NoModel, Registered
from modelhub.errors import BadValue, BrokenFile, ModelHubError, NotFound, UnsafeFile
from modelhub.fingerprint import Fingerprint, sample
from modelhub.jobs import Cancel, Done, Event, Job, Notice, Progress
from modelhub.kinds import Kind
from modelhub.upkeep.scan.changes import Changes, Move, plan
from modelhub.upkeep.scan.facing import Scene, face
from modelhub.upkeep.scan.roots import note_scanned, remember, starting_points
from modelhub.upkeep.scan.walk import Seen, Unreachable, walk

__all__ = ["Failure", "Noted", "ScanReport", "scan"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Noted:
    """What became of one file."""

    path: Path
    id: int | None = None
    """None in a dry run, for what has no catalog ID yet."""
    name: str = ""
    kind: Kind | None = None
    family: str | None = None
    was: Path | None = None
    """Where it lay before it moved."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that could not be taken, and why."""

    path: Path
    error: ModelHubError


@dataclass(frozen=True, slots=True)
class ScanReport:
    """How the disks differed from the catalog."""

    new: tuple[Noted, ...] = ()
    copies: tuple[Noted, ...] = ()
    """Other places of what the catalog holds: the same bytes, or the same file under another name."""
    moved: tuple[Noted, ...] = ()
    changed: tuple[Noted, ...] = ()
    """Other bytes at the same place: identified anew, digests forgotten."""
    returned: tuple[Noted, ...] = ()
    reread: tuple[Noted, ...] = ()
    """Unchanged, but notes beside them changed, or this version knows more."""
    missing: tuple[Noted, ...] = ()
    unchanged: int = 0
    skipped: int = 0
    """Files with a model's ending that are none."""
    waiting: tuple[Path, ...] = ()
    """Files that are still being written, as it seems."""
    failed: tuple[Failure, ...] = ()
    unreachable: tuple[Unreachable, ...] = ()

    @property
    def differs(self) -> bool:
        """Whether there is anything to tell."""
        told = (self.new, self.copies, self.moved, self.changed, self.returned, self.reread, self.missing)
        return any((*told, self.failed, self.unreachable))


def scan(
    catalog: Catalog,
    roots: Sequence[Path] = (),
    *,
    dry_run: bool = False,
    partial: bool = False,
    settled_ns: int | None = None,
    cancel: Cancel | None = None,
) -> Job[ScanReport]:
    """Compare the folders `roots` (all that are remembered, and the workspace's models) with the catalog.

    A folder that is gone, unreadable or suddenly empty is reported as unreachable, and nothing below it is called
    missing. With `partial` the folders are only parts of roots: they are not remembered, and may be empty. With
    `settled_ns` files that changed after that moment are left for later. Raises `MissingFile` or `BadValue` for a
    root that is no folder and never was one.
    """
    known = catalog.files.known_rows()
    starts = starting_points(catalog, roots, known)
    ours = (catalog.workspace.trash, catalog.workspace.cache, catalog.workspace.runs)
    walked = yield from _result(walk(starts, avoid=ours, cancel=cancel))
    scene = face(walked, known, starts, partial=partial, settled_ns=settled_ns)
    changes = plan(scene.found, scene.expected, gone=scene.gone, sample=_sample)
    if dry_run:
        yield Done(_foretold(catalog, changes, scene))
        return
    if not partial:
        remember(catalog, roots)
    tally = _Tally()
    yield from _act(catalog, changes, tally, cancel)
    note_scanned(catalog, starts, scene)
    yield Done(tally.report(catalog, changes, scene))


def _result(job: Job[T]) -> Generator[Event[Any], None, T]:
    """Pass on what a job tells, and return its result."""
    for event in job:
        if isinstance(event, Done):
            return event.result
        yield event
    raise RuntimeError("a job ended without a Done event")


def _sample(path: str) -> str | None:
    try:
        return sample(Path(path))
    except (ModelHubError, OSError):
        return None


class _Tally:
    """What has been done so far."""

    def __init__(self) -> None:
        self.done: dict[str, list[Noted]] = {}
        self.failed: list[Failure] = []
        self.skipped = 0

    def note(self, sort: str, path: str, one: Registered, was: str | None = None) -> None:
        noted = Noted(Path(path), one.id, one.name, one.kind, one.family, Path(was) if was else None)
        self.done.setdefault(sort, []).append(noted)

    def report(self, catalog: Catalog, changes: Changes, scene: Scene) -> ScanReport:
        names = catalog.names([one.artifact_id for one in changes.missing])
        return ScanReport(
            **{sort: tuple(noted) for sort, noted in self.done.items()},
            missing=tuple(Noted(Path(one.path), one.artifact_id, names[one.artifact_id]) for one in changes.missing),
            unchanged=scene.unchanged + changes.unchanged,
            skipped=self.skipped,
            waiting=tuple(map(Path, scene.waiting)),
            failed=tuple(self.failed),
            unreachable=scene.unreachable,
        )


def _foretold(catalog: Catalog, changes: Changes, scene: Scene) -> ScanReport:
    """What `_act` would do, as far as no file has to be read for it."""
    ids = {path: one.artifact_id for path, one in scene.expected.items()}
    names = catalog.names([*ids.values(), *(move.was.artifact_id for move in changes.moved)])

    def foretold(path: str, was: KnownFile | None = None) -> Noted:
        artifact_id = was.artifact_id if was else ids.get(path)
        name = names[artifact_id] if artifact_id else ""
        return Noted(Path(path), artifact_id, name, was=Path(was.path) if was else None)

    tally = _Tally()
    tally.done = {sort: [foretold(seen.path) for seen in files] for sort, files in _sorts(changes)}
    tally.done["moved"] = [foretold(move.now.path, move.was) for move in changes.moved]
    return tally.report(catalog, changes, scene)


def _sorts(changes: Changes) -> Iterator[tuple[str, Sequence[Seen]]]:
    yield "changed", changes.changed
    yield "returned", changes.returned
    yield "reread", changes.stale
    yield "new", changes.new


def _act(catalog: Catalog, changes: Changes, tally: _Tally, cancel: Cancel | None) -> Iterator[Event[Any]]:
    total = len(changes.moved) + sum(len(files) for _, files in _sorts(changes))
    count = 0
    for move in changes.moved:
        if cancel:
            cancel.check()
        _move(catalog, move, tally)
        count += 1
        yield Progress("scan", count, total, "files")
    catalog.files.mark_missing([one.path for one in changes.missing])
    catalog.files.note_keys(changes.rekeyed)
    for sort, files in _sorts(changes):
        for seen in files:
            if cancel:
                cancel.check()
            yield from _take(catalog, sort, seen, tally)
            count += 1
            yield Progress("scan", count, total, "files")


def _move(catalog: Catalog, move: Move, tally: _Tally) -> None:
    path = Path(move.now.path)
    seen = Fingerprint(move.now.size, move.was.mtime_ns if move.touched else move.now.mtime_ns, move.now.file_key)
    try:
        moved = catalog.files.relocate(Path(move.was.path), path, seen)
        again = not moved or bool(move.now.sidecars) or move.was.outdated
        one = catalog.files.register(path, siblings=move.now.siblings, again=again)
    except (NotFound, BadValue, UnsafeFile, BrokenFile, OSError) as error:
        tally.failed.append(Failure(path, _as_ours(error)))
        catalog.files.mark_missing([move.was.path])
    else:
        tally.note("moved", move.now.path, one, move.was.path)


def _take(catalog: Catalog, sort: str, seen: Seen, tally: _Tally) -> Iterator[Event[Any]]:
    """Register one file; whatever is wrong with it stops no other."""
    try:
        one = catalog.files.register(Path(seen.path), siblings=seen.siblings, again=True, searched=sort == "new")
    except NoModel:
        tally.skipped += 1
    except (NotFound, BadValue, UnsafeFile, BrokenFile, OSError) as error:
        tally.failed.append(Failure(Path(seen.path), _as_ours(error)))
    else:
        tally.note("copies" if sort == "new" and not one.is_new else sort, seen.path, one)
        yield from (Notice(f"{one.id} ({one.name}): {conflict}") for conflict in one.conflicts)


def _as_ours(error: ModelHubError | OSError) -> ModelHubError:
    return error if isinstance(error, ModelHubError) else ModelHubError(f"{error.filename}: {error.strerror}")
