"""What has come out since: compares what is held from hubs with what they offer now."""

from collections import defaultdict
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from modelhub.catalog import Catalog, Heard
from modelhub.digests import digest_file
from modelhub.errors import NetworkError
from modelhub.hubs import Gate, Hub, HubRef, Listing, names, parse
from modelhub.jobs import Done, Event, Job, Notice, Progress, drain
from modelhub.kinds import Artifact
from modelhub.sync.planning import digest_of

__all__ = ["Finding", "Source", "State", "compared", "lies_here", "look"]

_Asking = Generator[Event[Any], None, Mapping[HubRef, tuple[Listing, ...]]]


class State(StrEnum):
    """How what is held compares with its hub."""

    CURRENT = "current"
    NEWER = "newer"
    """A newer version for the same base came out."""
    OTHER_BASE = "other-base"
    """A newer version came out, for another base only."""
    GONE = "gone"
    """The hub has the model no longer; what it said last is kept."""


@dataclass(frozen=True, slots=True)
class Source:
    """An artifact, and what one hub said of it when it came."""

    artifact: Artifact
    ref: HubRef
    said: Mapping[str, Any] = field(default_factory=dict)

    @property
    def version(self) -> str:
        """For people."""
        return str(self.said.get("version") or self.ref.version or "?")


@dataclass(frozen=True, slots=True)
class Finding:
    """What the hub offers now, beside what is held."""

    source: Source
    state: State = State.CURRENT
    newest: Listing | None = None
    """For the same base."""
    others: tuple[Listing, ...] = ()
    """The newest for each other base."""
    relabelled: str = ""
    """What the hub calls the base of the held version now, when it said otherwise before."""


def look(catalog: Catalog, wanted: Sequence[Artifact], *, hubs: Callable[[str], Hub]) -> Job[tuple[Finding, ...]]:
    """Ask each hub once for all of `wanted` that came from there; what is gone is written down as gone.

    A hub that fails spoils no other; raises its error when none could be asked.
    """
    sources = _sources(catalog, wanted)
    held = _held(catalog)
    offered = yield from _asked(sources, hubs)
    findings = []
    for source in sources:
        if (listings := offered.get(source.ref)) is not None:
            findings.append(compared(source, listings, held, same_bytes=lies_here))
    for one in findings:
        if one.state is State.GONE:
            catalog.sources.gone(one.source.ref)
    yield Done(tuple(findings))


def compared(
    source: Source,
    listings: Sequence[Listing],
    held: Collection[str | HubRef] = (),
    *,
    same_bytes: Callable[[Source, Listing], bool] | None = None,
) -> Finding:
    """What `listings`, all that the model offers, newest first, are to what is held of it (pure).

    `held` are the digests and addresses of all that is here: a newer version that is here already is no news.
    """
    if all(one.gate is Gate.GONE for one in listings):
        return Finding(source, State.GONE)
    mine = [one for one in listings if one.ref.version == source.ref.version]
    newer = [one for one in _newer(source, listings, mine) if not (same_bytes or _same_digest)(source, one)]
    if any(one.ref in held or digest_of(one) in held for one in newer):
        newer = []
    fitting = [one for one in newer if _fits(source, one)]
    bases = {one.base: one for one in reversed(newer) if one not in fitting}
    state = State.NEWER if fitting else State.OTHER_BASE if bases else State.CURRENT
    newest = _like(source, fitting, mine) if fitting else None
    return Finding(source, state, newest, tuple(bases.values()), _relabelled(source, mine))


# What is held


def _sources(catalog: Catalog, wanted: Sequence[Artifact]) -> tuple[Source, ...]:
    """One address an artifact and hub: the one that was heard of last."""
    found: dict[tuple[int, str], Source] = {}
    by_id = {one.id: one for one in wanted}
    for hub in names():
        for artifact_id, heard in catalog.sources.all(hub).items():
            if artifact_id in by_id:
                last = max(heard, key=_heard_at)
                found[artifact_id, hub] = Source(by_id[artifact_id], parse(last.ref), last.said)
    return tuple(found.values())


def _heard_at(heard: Heard) -> tuple[bool, datetime]:
    return heard.gone_at is None, heard.seen_at


def _held(catalog: Catalog) -> frozenset[str | HubRef]:
    digests = {one.digests["sha256"] for one in catalog.list() if "sha256" in one.digests}
    refs = {parse(each.ref) for hub in names() for heard in catalog.sources.all(hub).values() for each in heard}
    return frozenset({*digests, *refs})


def _asked(sources: Sequence[Source], hubs: Callable[[str], Hub]) -> _Asking:
    by_hub: dict[str, list[HubRef]] = defaultdict(list)
    for source in sources:
        by_hub[source.ref.hub].append(source.ref)
    offered: dict[HubRef, tuple[Listing, ...]] = {}
    failed: list[NetworkError] = []
    for number, (hub, refs) in enumerate(by_hub.items(), start=1):
        try:
            offered.update(hubs(hub).latest(refs))
        except NetworkError as error:
            failed.append(error)
            yield Notice(f"{hub} could not be asked: {error.message}")
        yield Progress("ask", number, len(by_hub), "hubs")
    if failed and len(failed) == len(by_hub):
        raise failed[0]
    return offered


# What is offered


def _newer(source: Source, listings: Sequence[Listing], mine: Sequence[Listing]) -> list[Listing]:
    """Of what could take its place: what was published later; or, without dates, what is listed before it."""
    published = next((one.published_at for one in mine if one.published_at), None) or _date(source)
    found = []
    for one in listings:
        if one.ref.version == source.ref.version:
            if published is None:
                break
            continue
        is_later = published is None or one.published_at is None or one.published_at > published
        if is_later and one.gate is not Gate.GONE and _is_same_sort(source, one):
            found.append(one)
    return found


def _date(source: Source) -> datetime | None:
    try:
        return datetime.fromisoformat(source.said["published_at"])
    except (KeyError, TypeError, ValueError):
        return None


def _is_same_sort(source: Source, listing: Listing) -> bool:
    """A file that goes by a path keeps it from version to version; one that goes by a number does not."""
    path = source.ref.file if source.ref.file and not source.ref.file.isdigit() else None
    is_file = path is None or listing.ref.file == path
    same_kind = listing.kind in (None, source.artifact.facts.kind)
    return is_file and same_kind and listing.is_folder == source.artifact.path.is_dir()


def _fits(source: Source, listing: Listing) -> bool:
    family = source.artifact.facts.family
    return None in (family, listing.family) or family == listing.family


def _like(source: Source, fitting: Sequence[Listing], mine: Sequence[Listing]) -> Listing:
    """Of the newest version's files the one that is most like the held one, else the hub's first."""
    same = next((one for one in mine if one.ref == source.ref), None)
    newest = [one for one in fitting if one.ref.version == fitting[0].ref.version]
    return max(newest, key=lambda one: _likeness(one, same)) if same else newest[0]


def _likeness(one: Listing, other: Listing) -> int:
    fields = ("format", "precision", "pruned")
    return sum(getattr(one, name) == getattr(other, name) for name in fields)


def _relabelled(source: Source, mine: Sequence[Listing]) -> str:
    before = source.said.get("base_model")
    return next((one.base for one in mine if before and one.base and one.base != before), "")


def _same_digest(source: Source, listing: Listing) -> bool:
    mine = source.artifact.digests.get("sha256")
    return mine is not None and digest_of(listing) == mine


def lies_here(source: Source, listing: Listing) -> bool:
    """Whether what is held are these bytes: a folder by those of its files of which the hub tells a digest."""
    folder = source.artifact.path
    if digest_of(listing) is not None or not folder.is_dir():
        return _same_digest(source, listing)
    known = {folder / one.path: one for one in listing.files if one.digests.get("sha256")}
    if not known or any(not path.is_file() or path.stat().st_size != one.size for path, one in known.items()):
        return False
    read = {path: drain(digest_file(path, algorithms=("sha256",)))["sha256"] for path in known}
    return all(read[path] == one.digests["sha256"] for path, one in known.items())
