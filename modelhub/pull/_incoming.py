"""Where files lie while they come: a folder per parcel below `Workspace.incoming`, that its content alone names.

So a second pull of the same bytes, from whichever hub, goes on with what the first one left.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

from modelhub.errors import ModelHubError
from modelhub.fingerprint import Fingerprint, fingerprint
from modelhub.hubs import Listing
from modelhub.words.strangers import parsed
from modelhub.workspace import Workspace, publish

__all__ = ["Moved", "discard", "incoming", "locked", "moved", "note_move"]

_SCHEMA = 1
_JOURNAL = "moved.json"
_MAX_JOURNAL = 1_000_000
_DIGITS = 24


@dataclass(frozen=True, slots=True)
class Moved:
    """A model that went, or is about to go, from here to its own place."""

    target: Path
    seen: Fingerprint
    """What it looked like then: nothing else has the same inode, size and time."""
    sha256: dict[str, str]
    """Path within the listing -> digest, measured."""

    @property
    def arrived(self) -> bool:
        """Whether it lies there now, unchanged."""
        with suppress(ModelHubError, OSError):
            return fingerprint(self.target) == self.seen
        return False


def incoming(workspace: Workspace, listing: Listing) -> Path:
    """The folder in which this listing's files arrive."""
    lines = sorted(f"{file.path}\0{_mark(listing, file.digests.get('sha256'), file.key)}\n" for file in listing.files)
    name = hashlib.sha256("".join(lines).encode()).hexdigest()[:_DIGITS]
    return workspace.incoming / name


@contextmanager
def locked(folder: Path, *, wait: float) -> Iterator[bool]:
    """Keep other processes out of a parcel; False when one is at it after `wait` seconds."""
    lock = FileLock(folder.with_name(f"{folder.name}.lock"))
    if not _acquired(lock, folder.parent, wait):
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def _acquired(lock: BaseFileLock, place: Path, wait: float) -> bool:
    while True:
        place.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=wait)
        except Timeout:
            return False
        except FileNotFoundError:  # another process has just finished, and taken the empty folder away
            continue
        return True


def note_move(folder: Path, move: Moved) -> None:
    """Write down where the model goes, before it goes: whoever comes after a kill finds it there."""
    content = {
        "schema": _SCHEMA,
        "target": os.fspath(move.target),
        "seen": [move.seen.size, move.seen.mtime_ns, move.seen.file_key],
        "sha256": move.sha256,
    }
    with publish(folder / _JOURNAL) as part:
        part.write_text(json.dumps(content), encoding="utf-8")


def moved(folder: Path) -> Moved | None:
    """What `note_move` wrote, if that is where the model lies now."""
    try:
        told = parsed((folder / _JOURNAL).read_text(encoding="utf-8"), _MAX_JOURNAL)
    except (OSError, UnicodeDecodeError):
        return None
    try:
        found = Moved(Path(told["target"]), Fingerprint(*told["seen"]), dict(told["sha256"]))
    except (KeyError, TypeError, ValueError):
        return None
    return found if told.get("schema") == _SCHEMA and found.arrived else None


def discard(folder: Path) -> None:
    """Nothing of the parcel is needed any more."""
    shutil.rmtree(folder, ignore_errors=True)
    with suppress(OSError):
        folder.with_name(f"{folder.name}.lock").unlink()
    with suppress(OSError):  # others are still under way
        folder.parent.rmdir()


def _mark(listing: Listing, sha256: str | None, key: str) -> str:
    return sha256 or f"{listing.ref.hub}:{key}"
