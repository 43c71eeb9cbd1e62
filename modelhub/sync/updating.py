"""Puts newer versions in the place of older ones: the new one takes the name and the tags, the old one steps aside."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from modelhub.catalog import Catalog
from modelhub.kinds import Artifact
from modelhub.pull import Offer, Pulled, Wish
from modelhub.sync.applying import lock_entry
from modelhub.sync.lock import Lock
from modelhub.sync.manifest import Entry
from modelhub.sync.planning import locks_of
from modelhub.sync.surveying import Declared
from modelhub.sync.updates import Finding

__all__ = ["Update", "entry_of", "is_pinned", "offer_of", "relocked", "replaced"]

_DIGITS = 10
"""Of a revision in a name."""


@dataclass(frozen=True, slots=True)
class Update:
    """A version that came, and the one whose place it took."""

    finding: Finding
    new: Pulled
    old_name: str | None
    """What the old one is called now; None when it went to the trash."""


def entry_of(finding: Finding, declared: Declared) -> Entry | None:
    """The entry of the manifest that what is held answers."""
    locks = locks_of(declared.manifest, declared.lock)
    for entry in declared.manifest.entries:
        locked = locks.get(entry)
        is_same = locked is not None and finding.source.ref == locked.ref
        if is_same or (locked is None and entry.ref.covers(finding.source.ref)):
            return entry
    return None


def is_pinned(entry: Entry, finding: Finding) -> bool:
    """Whether the manifest asks for just the version that is held: a branch's name moves, a version does not."""
    return entry.ref.version is not None and entry.ref.version == finding.source.ref.version


def offer_of(finding: Finding) -> Offer:
    """What a pull is asked for."""
    if finding.newest is None:
        raise ValueError(finding)
    return Offer(Wish(finding.newest.ref, tags=finding.source.artifact.tags), finding.newest)


def replaced(catalog: Catalog, finding: Finding, new: Pulled, *, trash: bool) -> Update:
    """Let what came take the name of what was held, which goes to the trash or takes its version into its name."""
    old = catalog.artifact(finding.source.artifact.id)
    if new.artifact.id == old.id:
        return Update(finding, new, old.name)
    name = old.name
    if trash:
        catalog.remove(old.id)
    else:
        _step_aside(catalog, old, finding.source.version)
    renamed = catalog.rename(new.artifact.id, name)
    return Update(finding, replace(new, artifact=renamed), None if trash else catalog.artifact(old.id).name)


def relocked(declared: Declared, updates: Mapping[Entry, Update], catalog: Catalog, today: date) -> Lock:
    """The lock with what came in the place of what it named; `updates` by the entries as the manifest has them now."""
    fresh = {entry: lock_entry(entry, None, one.new, catalog, today) for entry, one in updates.items()}
    gone = {one.finding.source.ref for one in updates.values()}
    return (*(one for one in declared.lock if one.ref not in gone), *fresh.values())


def _step_aside(catalog: Catalog, old: Artifact, version: str) -> None:
    told = re.sub(r"[^\w.-]+", "-", version).strip("-.")[:_DIGITS] or "old"
    taken = {one.name for one in catalog.list()}
    endings = ("", *(f"-{number}" for number in range(2, len(taken) + 3)))
    catalog.rename(old.id, next(name for end in endings if (name := f"{old.name}-{told}{end}") not in taken))
