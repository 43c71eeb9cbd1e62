"""Reads files again and compares them with what the catalog wrote down; one that was interrupted can go on."""

from collections.abc import Collection, Generator, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from modelhub.catalog import Catalog, Check, Verdict
from modelhub.digests import ALGORITHMS, Hashed, hash_files
from modelhub.errors import BrokenFile, MissingFile
from modelhub.fingerprint import Fingerprint, fingerprint
from modelhub.jobs import Cancel, Done, Event, Job, Notice
from modelhub.kinds import Artifact, Location

__all__ = ["verify"]

_RUN = "verify"
_Place = tuple[Artifact, Location]
_Checking = Generator[Event[Any], None, tuple[Check, ...]]


def verify(
    catalog: Catalog,
    wanted: Sequence[Artifact] | None = None,
    *,
    quick: bool = False,
    again: bool = False,
    cancel: Cancel | None = None,
) -> Job[tuple[Check, ...]]:
    """Check every file of `wanted` (of all): what has no digest yet gets one, what is missing is marked.

    A check of all that was interrupted is gone on with, unless it shall begin `again`. `quick` compares sizes and
    times, and reads nothing.
    """
    if quick:
        yield Done(tuple(_quick_check(catalog, *place) for place in _places(catalog, wanted)))
    elif wanted is not None:
        yield Done((yield from _checked(catalog, _places(catalog, wanted), cancel)))
    else:
        yield Done((yield from _all_checked(catalog, again, cancel)))


def _all_checked(catalog: Catalog, again: bool, cancel: Cancel | None) -> _Checking:
    with _begun(catalog, again) as since:
        places = _places(catalog, None)
        left = [(artifact, at) for artifact, at in places if not _is_done(at, since)]
        if since:
            done = len(places) - len(left)
            yield Notice(f"going on with the check that began {since:%Y-%m-%d %H:%M}: {done} of {len(places)} are done")
        return (yield from _checked(catalog, left, cancel))


@contextmanager
def _begun(catalog: Catalog, again: bool) -> Iterator[datetime | None]:
    """Writes down that all are checked; gives the time when the check that is gone on with had begun."""
    last = catalog.last_run(_RUN)
    goes_on = last is not None and last.state == "interrupted" and not again
    if last and goes_on:
        catalog.resume_run(last.id)
    run_id = last.id if last and goes_on else catalog.begin_run(_RUN, {})
    state = "interrupted"
    try:
        yield last.started_at if last and goes_on else None
        state = "done"
    finally:
        catalog.finish_run(run_id, state=state)


def _places(catalog: Catalog, wanted: Sequence[Artifact] | None) -> list[_Place]:
    return [(artifact, at) for artifact in (catalog.list() if wanted is None else wanted) for at in artifact.locations]


def _is_done(at: Location, since: datetime | None) -> bool:
    return bool(since and at.verified_at and at.verified_at >= since)


def _checked(catalog: Catalog, places: Sequence[_Place], cancel: Cancel | None) -> _Checking:
    """Several files are read at once; each is written down as soon as it is done."""
    verdicts = {at.path: check for artifact, at in places if (check := _without_reading(artifact, at))}
    for check in verdicts.values():
        catalog.files.note_check(check)
    left = {at.path: (artifact, at) for artifact, at in places if at.path not in verdicts}
    recorded = {artifact.id: artifact.digests.get("sha256") for artifact, _ in places}

    def algorithms(path: Path) -> Collection[str]:
        return ("sha256",) if recorded[left[path][0].id] else ALGORITHMS

    for event in hash_files(list(left), algorithms=algorithms, cancel=cancel):
        if isinstance(event, Hashed):
            artifact, at = left[event.path]
            check = _judged(artifact, at, event, recorded[artifact.id])
            catalog.files.note_check(check, event)
            verdicts[event.path] = check
            recorded[artifact.id] = recorded[artifact.id] or event.digests.get("sha256")
        else:
            yield event
    return tuple(verdicts[at.path] for _, at in places)


def _without_reading(artifact: Artifact, at: Location) -> Check | None:
    """What a look at the file is enough for."""
    try:
        return _resized(artifact, at, fingerprint(at.path))
    except MissingFile:
        return _missing(artifact, at)


def _quick_check(catalog: Catalog, artifact: Artifact, at: Location) -> Check:
    try:
        there = fingerprint(at.path)
    except MissingFile:
        check = _missing(artifact, at)
    else:
        same_time = there.mtime_ns == at.mtime_ns
        why = f"it was written after it was added; modelhub verify {artifact.id} compares its bytes"
        touched = Check(artifact, at.path, Verdict.CHANGED, why)
        check = _resized(artifact, at, there) or (Check(artifact, at.path, Verdict.SAME) if same_time else touched)
    catalog.files.note_check(check)
    return check


def _judged(artifact: Artifact, at: Location, now: Hashed, recorded: str | None) -> Check:
    if isinstance(now.error, MissingFile):
        return _missing(artifact, at)
    if now.error is not None:
        why = now.error.reason if isinstance(now.error, BrokenFile) else now.error.message
        return Check(artifact, at.path, Verdict.CHANGED, why)
    if recorded is None:
        return Check(artifact, at.path, Verdict.RECORDED)
    found = now.digests["sha256"]
    if found != recorded:
        return Check(artifact, at.path, Verdict.CHANGED, f"its sha256 is {found[:10]}, and was {recorded[:10]}")
    return Check(artifact, at.path, Verdict.SAME)


def _resized(artifact: Artifact, at: Location, there: Fingerprint) -> Check | None:
    if there.size == at.size:
        return None
    why = f"it has {there.size:,} bytes, and had {at.size:,} when it was added"
    return Check(artifact, at.path, Verdict.CHANGED, why)


def _missing(artifact: Artifact, at: Location) -> Check:
    return Check(artifact, at.path, Verdict.MISSING, "there is no such file")
