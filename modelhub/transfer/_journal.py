"""What is known of a file that is half here, kept beside it so that another process can go on."""

import os
import platform
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from modelhub.processes import alive, started
from modelhub.transfer._nouns import Wanted

__all__ = ["NEW", "Journal", "Owner", "read", "resumable", "write"]

NEW = ".new"
"""The ending of a journal that is being written."""
_SCHEMA = 1
_STALE_SECONDS = 600.0
"""Without a heartbeat, on a machine whose processes cannot be seen from here: pauses are shorter."""


@dataclass(frozen=True, slots=True)
class Owner:
    """The process that writes a file."""

    pid: int
    since: str
    """As `processes.started` tells it."""
    machine: str

    @classmethod
    def this(cls) -> "Owner":
        return cls(os.getpid(), started(), platform.node())


@dataclass(frozen=True, slots=True)
class Journal:
    """One state of one file; never holds an address, which may be signed."""

    key: str
    sha256: str | None
    size: int | None
    """As the hub says both."""
    total: int | None = None
    """Bytes, as the storage says."""
    validator: str = ""
    """A strong ETag or a time of change: what the server must still say for the rest to belong to it."""
    host: str = ""
    flushed: int = 0
    """Bytes from the beginning that are on the disk for sure."""
    owner: Owner | None = None
    """None when nobody works on it."""
    beat: float = 0.0
    """Seconds since the epoch, when its owner last wrote this."""
    schema: int = _SCHEMA

    def is_held(self) -> bool:
        """Whether a process that is not this one works on it."""
        owner = self.owner
        if owner is None or abs(time.time() - self.beat) > _STALE_SECONDS:
            return False
        return owner.machine != platform.node() or (owner.pid != os.getpid() and alive(owner.pid, owner.since))


def resumable(journal: Journal | None, wanted: Wanted, held: int) -> int:
    """How many of the `held` bytes of a part may be gone on with.

    Without a digest to compare in the end and without a validator nothing would show that the rest is of another file.
    """
    if journal is None or (journal.key, journal.sha256, journal.size) != (wanted.key, wanted.sha256, wanted.size):
        return 0
    return min(journal.flushed, held) if wanted.sha256 or journal.validator else 0


def read(path: Path) -> Journal | None:
    """None when there is none, or none that can be relied on."""
    import msgspec

    with suppress(OSError, msgspec.DecodeError):
        journal = msgspec.json.decode(path.read_bytes(), type=Journal)
        return journal if journal.schema == _SCHEMA else None
    return None


def write(path: Path, journal: Journal) -> None:
    """Replace the journal; its owner alone does, so that what a kill leaves half written has one name, too."""
    import msgspec

    new = path.with_name(path.name + NEW)
    with new.open("wb") as file:
        file.write(msgspec.json.encode(journal))
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
