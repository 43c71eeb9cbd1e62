"""What the catalog is asked with and what it answers, besides `Artifact`: all frozen."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from modelhub.kinds import Artifact, Kind

__all__ = ["Check", "Image", "Lineage", "Query", "Removal", "Run", "Verdict"]


@dataclass(frozen=True, slots=True)
class Query:
    """Which artifacts to list, newest first. The default asks for all of them."""

    text: str = ""
    """Words (or parts of them) that all occur in the name, aliases, tags, family or kind."""
    kinds: tuple[Kind, ...] = ()
    family: str | None = None
    tag: str | None = None
    limit: int | None = None


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


@dataclass(frozen=True, slots=True)
class Run:
    """One execution of a recipe or a request."""

    id: int
    kind: str
    """``train`` or ``generate``."""
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
class Removal:
    """What removing an artifact does to its files."""

    artifact: Artifact
    trashed: tuple[Path, ...]
    """Inside the workspace: moved to its trash."""
    forgotten: tuple[Path, ...]
    """Outside of it: left where they are."""


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
