"""What is to be fetched, from where, how fast, and what came of it."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from modelhub.errors import ModelHubError
from modelhub.tokens import Grant

__all__ = ["Clock", "Failed", "Located", "Pace", "Received", "Wanted"]


@dataclass(frozen=True, slots=True)
class Located:
    """Where a file's bytes can be had right now."""

    url: str = field(repr=False)
    """``https:``, ``file:``, or ``http:`` where the user allows the host. May hold a signature that expires."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """For the origin of `url` only."""
    grant: Grant | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """One file to bring."""

    key: str
    """What makes it this file and no other, wherever it comes from: ``sha256:...``, or the hub's own file ID."""
    target: Path
    """Where it shall lie; beside it, ``NAME.part`` and its journal, until it is whole."""
    locate: Callable[[], Located]
    """Asked anew before each attempt; its errors are the hub's own (`AccessDenied`, `NotOffered`, ...)."""
    size: int | None = None
    """Bytes, exactly; None when the hub tells none, or only about how many."""
    sha256: str | None = None
    """As the hub tells it, lower-case hex; None leaves the file unverified."""
    name: str = ""
    """For people: what its bar is called."""
    weights: bool = True
    """Whether it must begin as a weight file does; small files beside a model may begin as they like."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How gently."""

    bytes_per_second: float | None = None
    """Of all files together."""
    attempts: int = 8
    """In a row without a byte of progress, before a file fails."""
    at_once: int = 4
    """Files."""
    ranges: int = 1
    """Connections for one large file."""
    large: int = 1 << 28
    """Bytes: a smaller file has one connection."""


@dataclass(frozen=True, slots=True)
class Clock:
    """How time passes: as it does, or as a test says."""

    now: Callable[[], float] = time.monotonic
    """Seconds."""
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True, slots=True)
class Received:
    """A file that lies whole at its place."""

    wanted: Wanted
    sha256: str
    """Of its bytes, measured."""
    size: int
    """Bytes."""
    fetched: int
    """Bytes that came over the wire in this call: 0 for a file that was there already."""

    @property
    def is_verified(self) -> bool:
        """Whether there was a digest to compare with."""
        return self.wanted.sha256 is not None


@dataclass(frozen=True, slots=True)
class Failed:
    """A file that did not come; what came of it is kept."""

    wanted: Wanted
    error: ModelHubError
