"""Looks at what is wanted and what is held, and asks the hubs for the rest: the facts that a plan is made from."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from modelhub import pull as pulling
from modelhub.catalog import Catalog, Heard
from modelhub.errors import NetworkError, NotOffered
from modelhub.headers import folder_files
from modelhub.hubs import Hub, HubRef, Listing, RemoteFile, names, parse
from modelhub.jobs import Done, Job, Progress
from modelhub.kinds import Artifact
from modelhub.licences import from_json
from modelhub.pull import Choice, Offer, Wish
from modelhub.sync.lock import Lock, Locked
from modelhub.sync.lock_file import read_lock
from modelhub.sync.manifest import Entry, Manifest, read_manifest
from modelhub.sync.planning import locks_of, questions
from modelhub.sync.steps import Holding
from modelhub.workspace import Workspace

__all__ = ["Declared", "holdings", "read_declared", "survey"]


@dataclass(frozen=True, slots=True)
class Declared:
    """What is wanted, and what it came to so far."""

    manifest: Manifest
    lock: Lock = ()


def read_declared(workspace: Workspace) -> Declared:
    """What the two files beside the catalog say; nothing where there is no manifest."""
    if not workspace.manifest.exists():
        return Declared(Manifest())
    return Declared(read_manifest(workspace.manifest), read_lock(workspace.lock))


def holdings(catalog: Catalog) -> tuple[Holding, ...]:
    """What a plan must know of all that the catalog holds."""
    sources: dict[int, set[HubRef]] = {}
    for hub in names():
        for artifact_id, heard in catalog.sources.all(hub).items():
            sources.setdefault(artifact_id, set()).update(parse(one.ref) for one in heard)
    return tuple(_holding(one, frozenset(sources.get(one.id, ()))) for one in catalog.list())


def survey(declared: Declared, *, catalog: Catalog, hubs: Callable[[str], Hub]) -> Job[Mapping[Entry, Offer]]:
    """Ask hubs for what is not locked or not here; hash what may be it, so that nothing is fetched that is here."""
    asked = questions(declared.manifest, declared.lock, holdings(catalog))
    locks = locks_of(declared.manifest, declared.lock)
    offers: dict[Entry, Offer] = {}
    for number, (entry, ref) in enumerate(asked.items(), start=1):
        offer = pulling.offered(_wish(entry, ref, locks.get(entry)), hubs=hubs)
        offers[entry] = _as_held(offer, catalog) or offer
        yield Progress("ask", number, len(asked), "models")
    yield from _hash_alike(catalog, [one.listing for one in offers.values() if one.listing])
    yield Done(offers)


def _holding(artifact: Artifact, sources: frozenset[HubRef]) -> Holding:
    return Holding(
        artifact.id,
        artifact.name,
        frozenset(artifact.tags),
        artifact.digests.get("sha256"),
        sources,
        any(at.state == "present" and at.path.exists() for at in artifact.locations),
    )


def _wish(entry: Entry, ref: HubRef, locked: Locked | None) -> Wish:
    """What is locked is chosen already, and must have the locked bytes."""
    if locked is None:
        return Wish(ref, entry.name, entry.tags, entry.choice)
    name = entry.name or locked.name
    return Wish(ref, name, entry.tags, Choice(), {one.path: one.sha256 for one in locked.files})


def _as_held(offer: Offer, catalog: Catalog) -> Offer | None:
    """What is held of a source that its hub has no longer, or cannot tell of now, as it was heard of last."""
    if not isinstance(offer.error, NetworkError | NotOffered):
        return None
    sources = catalog.sources.all(offer.wish.ref.hub)
    heard = [(number, one) for number, each in sources.items() for one in each if parse(one.ref) == offer.wish.ref]
    found = next(((catalog.artifact(number), one) for number, one in heard), None)
    return replace(offer, listing=_remembered(*found, offer.wish.ref), error=None) if found else None


def _remembered(artifact: Artifact, heard: Heard, ref: HubRef) -> Listing:
    """A listing of what lies here, in the hub's last words."""
    path = artifact.path
    files = list(folder_files(path)) if path.is_dir() else [path]
    told = heard.said
    return Listing(
        ref=ref,
        name=path.stem,
        files=tuple(RemoteFile(_within(one, path), "", one.stat().st_size) for one in files if one.exists()),
        is_folder=path.is_dir(),
        title=str(told.get("name", "")),
        version=str(told.get("version", "")),
        kind=artifact.facts.kind,
        base=str(told.get("base_model", "")),
        trigger_words=tuple(str(one) for one in told.get("trained_words", ())),
        licence=from_json(told.get("licence")),
    )


def _within(file: Path, model: Path) -> str:
    return file.name if file == model else file.relative_to(model).as_posix()


def _hash_alike(catalog: Catalog, listings: Sequence[Listing]) -> Iterator[Progress]:
    """Digests for what has the size of something offered and none yet."""
    sizes = {one.size for one in listings}
    alike = [one for one in catalog.list() if "sha256" not in one.digests and one.size in sizes and one.path.exists()]
    for number, artifact in enumerate(alike, start=1):
        catalog.sha256(artifact)
        yield Progress("hash", number, len(alike), "files")
