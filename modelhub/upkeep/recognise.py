"""Asks a hub what the models here are: their digests leave this machine, no file does and no name.

`planned` says what would be asked; `recognise` asks, and keeps what the hub says beside each model. It is written down
as it comes, so that one that was stopped goes on where it was.
"""

from collections import defaultdict
from collections.abc import Collection, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from modelhub import starter
from modelhub.catalog import Catalog, Heard
from modelhub.errors import ModelHubError
from modelhub.headers import WEIGHT_SUFFIXES
from modelhub.hubs import Gate, Hub, HubRef, Listing, contradictions, parse, said
from modelhub.jobs import Cancel, Done, Event, Job, Notice, Progress
from modelhub.kinds import Artifact
from modelhub.upkeep.scan.hashing import HashReport, hash_missing

__all__ = ["Asking", "Recognised", "RecognisedReport", "planned", "recognise"]

T = TypeVar("T")
_Part = Generator[Event[Any], None, T]
_REST = timedelta(days=30)
"""For so long the hub is believed not to know a digest."""
_HUBS = ("civitai", "hf")
"""What was heard from one of these is known."""
_REFS_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Asking:
    """What would be asked, before anything leaves this machine."""

    artifacts: tuple[Artifact, ...] = ()
    """By their digests."""
    sources: Mapping[int, tuple[Heard, ...]] = field(default_factory=dict)
    """Addresses that are known, by catalog ID: they are looked up again."""
    resting: int = 0
    """Models that the hub did not know in the last 30 days: they are left alone."""

    @property
    def unhashed(self) -> tuple[Artifact, ...]:
        """Those whose files must be read first."""
        return tuple(one for one in self.artifacts if "sha256" not in one.digests)

    @property
    def is_empty(self) -> bool:
        return not (self.artifacts or self.sources)


@dataclass(frozen=True, slots=True)
class Recognised:
    """One model that the hub knows."""

    id: int
    name: str
    refs: tuple[str, ...]
    """Its addresses at the hub, the oldest first."""
    title: str
    version: str
    trigger_words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RecognisedReport:
    """What came of asking."""

    recognised: tuple[Recognised, ...] = ()
    unknown: tuple[int, ...] = ()
    """Catalog IDs of what the hub does not know."""
    refreshed: int = 0
    """Addresses that the hub told of again."""
    gone: tuple[str, ...] = ()
    """Addresses that it has no longer; what it said last is kept."""
    failed: tuple[tuple[Path, ModelHubError], ...] = ()
    """Files that could not be read."""


def planned(
    catalog: Catalog,
    hub: str,
    wanted: Sequence[Artifact] | None = None,
    *,
    again: bool = False,
    now: datetime | None = None,
) -> Asking:
    """What is worth asking `hub` of `wanted`, or of all: not our own trainings, nor what ships with the product.

    `again` asks for what it did not know lately, too, and looks up all that it once told.
    """
    artifacts = catalog.list() if wanted is None else wanted
    known = _told_by(catalog, _HUBS if wanted is None else (hub,))
    own = catalog.made("train")
    new = [one for one in artifacts if one.id not in known and one.id not in own and _is_askable(one)]
    asked = {} if again else catalog.sources.asked(hub)
    since = (now or datetime.now(UTC)) - _REST
    due = tuple(one for one in new if not _was_asked(one, asked, since))
    heard = catalog.sources.all(hub) if again else {}
    sources = {one.id: heard[one.id] for one in artifacts if one.id in heard}
    return Asking(due, sources, resting=len(new) - len(due))


def recognise(catalog: Catalog, hub: Hub, asking: Asking, *, cancel: Cancel | None = None) -> Job[RecognisedReport]:
    """Ask, and write down what `hub` says; where it contradicts a file, a notice tells, and the file is believed."""
    hashed = yield from _hashed(catalog, asking, cancel)
    ids = {one.id for one in asking.artifacts}
    artifacts = [one for one in catalog.list() if one.id in ids and "sha256" in one.digests] if ids else []
    recognised = yield from _asked(catalog, hub, artifacts, cancel)
    refreshed, gone = yield from _refreshed(catalog, hub, asking.sources, cancel)
    found = {one.id for one in recognised}
    unknown = tuple(one.id for one in artifacts if one.id not in found)
    yield Done(RecognisedReport(tuple(recognised), unknown, refreshed, tuple(gone), hashed.failed))


# What is worth asking


def _told_by(catalog: Catalog, names: Collection[str]) -> frozenset[int]:
    """Catalog IDs of what a hub itself has told of: a note beside a file proves nothing."""
    each = (row for name in names for row in catalog.sources.all(name).items())
    return frozenset(number for number, heard in each if any(one.said.get("heard") == "hub" for one in heard))


def _is_askable(artifact: Artifact) -> bool:
    """Hubs know files, not folders."""
    return artifact.path.suffix.lower() in WEIGHT_SUFFIXES and artifact.path != starter.CHECKPOINT


def _was_asked(artifact: Artifact, asked: Mapping[str, datetime], since: datetime) -> bool:
    last = asked.get(artifact.digests.get("sha256", ""))
    return last is not None and last > since


# Asking


def _hashed(catalog: Catalog, asking: Asking, cancel: Cancel | None) -> _Part[HashReport]:
    paths = {at.path for one in asking.unhashed for at in one.locations}
    if paths:
        for event in hash_missing(catalog, among=paths, cancel=cancel):
            if isinstance(event, Done):
                return event.result
            yield event
    return HashReport(0)


def _asked(catalog: Catalog, hub: Hub, artifacts: Sequence[Artifact], cancel: Cancel | None) -> _Part[list[Recognised]]:
    """All digests at once; what the hub says of one is kept before it is asked for more."""
    waiting: dict[str, list[Artifact]] = defaultdict(list)
    for one in artifacts:
        waiting[one.digests["sha256"]].append(one)
    recognised = list[Recognised]()
    for digest, listings in hub.by_sha256(list(waiting)):
        if cancel:
            cancel.check()
        for artifact in waiting.pop(digest):
            recognised.append(_kept(catalog, artifact, listings))
            yield from (Notice(f"{artifact.id} ({artifact.name}): {why}") for why in _doubts(artifact, listings))
        yield Progress(f"ask {hub.name}", len(recognised), None, "models")
    catalog.sources.note_asked(hub.name, list(waiting))
    return recognised


def _kept(catalog: Catalog, artifact: Artifact, listings: Sequence[Listing]) -> Recognised:
    for one in listings:
        catalog.sources.note(artifact.id, one.ref, said(one), one.trigger_words)
    refs, oldest = tuple(str(one.ref) for one in listings), listings[0]
    return Recognised(artifact.id, artifact.name, refs, oldest.title, oldest.version, oldest.trigger_words)


def _doubts(artifact: Artifact, listings: Sequence[Listing]) -> tuple[str, ...]:
    """What every one of them contradicts: a mistake that one uploader made says little."""
    each = [tuple(contradictions(artifact.facts, one)) for one in listings]
    return each[0] if all(each) else ()


# Asking again


def _refreshed(
    catalog: Catalog, hub: Hub, sources: Mapping[int, tuple[Heard, ...]], cancel: Cancel | None
) -> _Part[tuple[int, list[str]]]:
    waiting: dict[HubRef, list[tuple[int, Heard]]] = defaultdict(list)
    for artifact_id, heard in sources.items():
        for one in heard:
            if ref := _ref(one.ref):
                waiting[ref].append((artifact_id, one))
    refreshed, gone, refs = 0, list[str](), list(waiting)
    for first in range(0, len(refs), _REFS_AT_ONCE):
        if cancel:
            cancel.check()
        some = refs[first : first + _REFS_AT_ONCE]
        for ref, listings in hub.latest(some).items():
            for artifact_id, heard_once in waiting[ref]:
                is_there = _refresh(catalog, artifact_id, heard_once, _same(ref, heard_once, listings))
                refreshed += is_there
                gone += [] if is_there else [heard_once.ref]
        yield Progress(f"look up at {hub.name}", first + len(some), len(refs), "addresses")
    return refreshed, gone


def _ref(text: str) -> HubRef | None:
    try:
        return parse(text)
    except ModelHubError:
        return None


def _same(ref: HubRef, heard: Heard, listings: Sequence[Listing]) -> Listing | None:
    """What is offered under `ref` now, with the bytes that it had; of what was archived, its version."""
    covered = [one for one in listings if ref.covers(one.ref)]
    archived = (one for one in listings if one.gate is Gate.GONE and one.ref.version == ref.version)
    claimed = heard.said.get("claimed_sha256")
    same = (one for one in covered if claimed and any(file.digests.get("sha256") == claimed for file in one.files))
    return next(same, None) or next(iter(covered), None) or next(archived, None)


def _refresh(catalog: Catalog, artifact_id: int, heard: Heard, now: Listing | None) -> bool:
    """Keep what the hub says now over what it said; whether it still has the file."""
    is_there = now is not None and now.gate is not Gate.GONE
    if now and (is_there or heard.gone_at is None):
        catalog.sources.note(artifact_id, heard.ref, {**heard.said, **said(now)}, now.trigger_words)
    if not is_there:
        catalog.sources.gone(heard.ref)
    return is_there
