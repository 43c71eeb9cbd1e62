"""Carries the steps of a plan out, and locks what came."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from modelhub.catalog import Catalog
from modelhub.digests import digest_file
from modelhub.errors import ModelHubError
from modelhub.hubs import Listing, said
from modelhub.jobs import Done, Event, Job, drain
from modelhub.kinds import Artifact, Kind
from modelhub.pull import Pulled, PullReport, Wish
from modelhub.sync.lock import Lock, Locked, LockedFile, locked_from
from modelhub.sync.manifest import Entry
from modelhub.sync.planning import locks_of, merged
from modelhub.sync.steps import Adopt, Prune, Rename, Step, SyncPlan, Tag, Untag
from modelhub.sync.surveying import Declared

__all__ = ["SyncReport", "apply", "lock_entry"]


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What came of a plan."""

    plan: SyncPlan
    lock: Lock
    """As it is now."""
    pulled: tuple[Pulled, ...] = ()
    failed: tuple[tuple[Entry, ModelHubError], ...] = ()


def apply(
    declared: Declared, planned: SyncPlan, pulled: Job[PullReport], *, catalog: Catalog, today: date
) -> Job[SyncReport]:
    """Carry the steps out; `pulled` brings what is to be brought. What fails stops nothing else."""
    for step in planned.steps:
        _act(step, catalog)
    report = yield from _passed_on(pulled)
    came = (*report.pulled, *report.kept)
    failed = [(one.entry, one.error) for one in planned.blocked]
    failed += [(_entry_of(wish, planned), error) for wish, error in report.failed]
    lock = _locked(declared, planned, came, catalog, today)
    yield Done(SyncReport(planned, lock, came, tuple(failed)))


def _passed_on(job: Job[PullReport]) -> Generator[Event[Any], None, PullReport]:
    """Its events but the last, whose result is returned; closed with whoever listens."""
    try:
        for event in job:
            if isinstance(event, Done):
                return event.result
            yield event
    finally:
        if close := getattr(job, "close", None):
            close()
    raise RuntimeError("a job ended without a Done event")


def _act(step: Step, catalog: Catalog) -> None:
    match step:
        case Prune():
            catalog.remove(step.id)
        case Rename():
            catalog.rename(step.id, step.name)
        case Tag():
            catalog.tag(step.id, *step.tags)
        case Untag():
            catalog.untag(step.id, *step.tags)
        case Adopt():
            catalog.sources.note(step.id, step.listing.ref, said(step.listing), step.listing.trigger_words)
        case _:
            pass


def _entry_of(wish: Wish, planned: SyncPlan) -> Entry:
    return next(one.entry for one in planned.pulls if one.offer.wish == wish)


def _locked(declared: Declared, planned: SyncPlan, came: Sequence[Pulled], catalog: Catalog, today: date) -> Lock:
    here = {one.entry: Pulled(Wish(one.entry.ref), one.listing, catalog.artifact(one.id)) for one in planned.settled}
    here |= {_entry_of(one.wish, planned): one for one in came}
    before = locks_of(declared.manifest, declared.lock)
    fresh = {entry: lock_entry(entry, before.get(entry), one, catalog, today) for entry, one in here.items()}
    return merged(declared.manifest, declared.lock, fresh)


def lock_entry(entry: Entry, before: Locked | None, here: Pulled, catalog: Catalog, today: date) -> Locked:
    """What is here for `entry`; what was locked `before` stays as it was, but for what the manifest says of it."""
    listing, artifact = here.listing, catalog.artifact(here.artifact.id)
    if before and before.ref == listing.ref:
        name = entry.name or before.name
        return replace(before, name=name, asked=entry.ref, tags=entry.tags, choice=entry.choice)
    kind = listing.kind if artifact.facts.kind is Kind.UNKNOWN else artifact.facts.kind
    files = _measured(listing, artifact, here.sha256, catalog)
    return locked_from(entry, listing, files, name=entry.name or artifact.name, kind=kind, today=today)


def _measured(listing: Listing, artifact: Artifact, sha256: Mapping[str, str], catalog: Catalog) -> list[LockedFile]:
    """Sizes and digests of the files as they lie here; hubs tell some of them, and more or less."""
    known = {one.path: sha256.get(one.path) or one.digests.get("sha256") for one in listing.files}
    is_file = len(listing.files) == 1 and not artifact.path.is_dir()
    lying = {one.path: artifact.path if is_file else artifact.path / one.path for one in listing.files}
    return [
        LockedFile(
            one.path,
            known[one.path] or (catalog.sha256(artifact) if is_file else _sha256(lying[one.path])),
            lying[one.path].stat().st_size,
            "" if listing.ref.hub == "folder" else one.key,
        )
        for one in listing.files
    ]


def _sha256(path: Path) -> str:
    return drain(digest_file(path, algorithms=("sha256",)))["sha256"]
