"""What the catalog is asked with and what it answers, besides `Artifact`: all frozen."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from modelhub.kinds import Artifact, Kind, Location
from modelhub.words.training import Training

__all__ = [
    "Account",
    "Base",
    "Check",
    "Found",
    "Heard",
    "Hit",
    "Image",
    "Lineage",
    "PictureQuery",
    "Query",
    "Removal",
    "Run",
    "Trashed",
    "Uses",
    "Verdict",
]


@dataclass(frozen=True, slots=True)
class Query:
    """Which artifacts to list, newest first. The default asks for all of them."""

    text: str = ""
    """Words (or parts of them) that all occur in the name, aliases, tags, trigger words, note, family or kind, or
    that begin a digest with at least 8 digits."""
    kinds: tuple[Kind, ...] = ()
    family: str | None = None
    tag: str | None = None
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """An artifact that a search found."""

    artifact: Artifact
    places: tuple[str, ...]
    """Where the words stand: ``name``, ``aliases``, ``tags``, ``trigger words``, ``note``, ``digest``, ..."""


@dataclass(frozen=True, slots=True)
class Image:
    """One picture that a run drew."""

    id: int
    run_id: int
    path: Path
    sha256: str
    width: int
    height: int
    """Pixels."""
    infotext: str
    """The PNG's ``parameters`` text."""
    made_at: datetime
    rating: int | None = None
    """1 to 5, by its owner."""


@dataclass(frozen=True, slots=True)
class Found:
    """A picture that lay in a folder, as it tells of itself."""

    path: Path
    sha256: str
    width: int
    height: int
    """Pixels."""
    infotext: str
    models: tuple[tuple[str, str, str], ...]
    """(role, name, beginning of a digest) of each model that it names."""
    size: int
    """Bytes."""
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class PictureQuery:
    """Which pictures to list, newest first. The default asks for all of them."""

    text: str = ""
    """Words, or parts of them, that all stand in the infotext."""
    model: int | None = None
    """Catalog ID of a model that had a part in them."""
    since: str | None = None
    until: str | None = None
    """Days, as ``2026-01-31``; both are included."""
    rating: int | None = None
    """At least so many stars."""
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """One execution of a recipe or a request."""

    id: int
    kind: str
    """``train``, ``generate``, ``verify``, ..."""
    payload: Mapping[str, Any]
    """The resolved recipe or request, with its schema number."""
    state: str
    """``running``, ``done``, ``failed`` or ``interrupted``."""
    inputs: tuple[tuple[str, int], ...]
    """(role, catalog ID) of what it used, e.g. ``("base", 3)``."""
    outputs: tuple[int, ...]
    """Catalog IDs of what it made."""
    images: tuple[Image, ...]
    started_at: datetime
    finished_at: datetime | None
    error: str | None


@dataclass(frozen=True, slots=True)
class Lineage:
    """Where an artifact comes from and where it went."""

    made_by: Run | None
    used_by: tuple[Run, ...]
    """Newest first."""


@dataclass(frozen=True, slots=True)
class Uses:
    """What was made with an artifact, counted; the pictures can be very many."""

    pictures: int
    newest: tuple[Image, ...]
    """The latest of them, newest first."""
    trained: tuple[int, ...]
    """Catalog IDs of what was trained on it, newest first."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What a hub, or another tool's note, said of an artifact."""

    ref: str
    """Address at the hub, e.g. ``civitai:123@456``."""
    said: Mapping[str, Any]
    seen_at: datetime
    gone_at: datetime | None = None
    """Since when the hub says so no longer."""


@dataclass(frozen=True, slots=True)
class Base:
    """The artifact that another one was trained on."""

    artifact: Artifact
    found_by: str
    """``sha256`` or ``autov1``, digests that its header names; or ``name``, which proves nothing."""


@dataclass(frozen=True, slots=True)
class Account:
    """All that the catalog can tell of one artifact, whether or not its file is at hand."""

    artifact: Artifact
    words: tuple[tuple[str, str], ...]
    """Trigger words, and whether the ``header``, a ``hub``'s note or the ``user`` gave them."""
    training: Training | None
    base: Base | None
    derived: tuple[Artifact, ...]
    """What was trained on it, as far as headers tell."""
    sources: tuple[Heard, ...]
    lineage: Lineage
    """What made it, and the newest runs that used it."""
    uses: Uses


@dataclass(frozen=True, slots=True)
class Removal:
    """What removing an artifact does to its files."""

    artifact: Artifact
    trashed: tuple[Path, ...]
    """Inside the workspace: moved to its trash."""
    forgotten: tuple[Path, ...]
    """Outside of it: left where they are."""


@dataclass(frozen=True, slots=True)
class Trashed:
    """An artifact that was removed and can come back."""

    artifact: Artifact
    removed_at: datetime
    files: tuple[Location, ...]
    """In the trash; each remembers its `origin`."""

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(at.size for at in self.files)


class Verdict(StrEnum):
    """What checking one file showed."""

    SAME = "same"
    RECORDED = "recorded"
    """First time: there was nothing to compare with, and now there is."""
    CHANGED = "changed"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Check:
    """One file of an artifact, checked."""

    artifact: Artifact
    path: Path
    verdict: Verdict
    reason: str = ""
    """For people, when it changed."""
