"""A file that is not yet whole: ``NAME.part`` beside its place, with its journal and the digest of what is there."""

import hashlib
import os
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from modelhub.errors import OutOfResources
from modelhub.transfer import _journal
from modelhub.transfer._following import Follower
from modelhub.transfer._journal import Journal, Owner
from modelhub.transfer._nouns import Wanted
from modelhub.workspace import take_free_name

__all__ = ["Part", "discard", "journal_path", "part_path", "require_space"]

_NOTED_BYTES = 1 << 24
_NOTED_SECONDS = 0.5
"""A kill costs what came since the last note; a note costs nothing, being written by a thread of its own."""
_LONGEST_NAME = 200
"""Bytes, of the 255 that file systems take: the rest is for endings."""
_ROOM_FOR_JOURNAL = 1 << 16
_MARGIN = 1 << 20
"""Bytes to leave on the disk, for the journal and the catalog."""


def part_path(target: Path) -> Path:
    """Where `target` grows: a visible name, which cleaning up after dead processes leaves alone."""
    name = target.name.encode()
    if len(name) > _LONGEST_NAME:
        kept = name[: _LONGEST_NAME - 20].decode(errors="ignore")
        return target.with_name(f"{kept}.{hashlib.sha256(name).hexdigest()[:16]}.part")
    return target.with_name(f"{target.name}.part")


def journal_path(target: Path) -> Path:
    part = part_path(target)
    return part.with_name(f"{part.name}.json")


def discard(target: Path) -> None:
    """Forget what came of `target`."""
    journal = journal_path(target)
    for path in (part_path(target), journal.with_name(journal.name + _journal.NEW), journal):
        path.unlink(missing_ok=True)


class Part:
    """Whoever makes one owns the file until `close`, which keeps what came."""

    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self.path = part_path(wanted.target)
        self.journal_path = journal_path(wanted.target)
        found = _journal.read(self.journal_path)
        held = self.path.stat().st_size if self.path.is_file() else 0
        self.position = _journal.resumable(found, wanted, held)
        """Bytes from the beginning that are there."""
        self.fetched = 0
        """Bytes that came, those of new beginnings too."""
        self.farthest = self.position
        """The position that was ever reached, before any new beginning."""
        self._journal = self._own(found if found and self.position else None)
        self._file = _opened(self.path, self.position)
        self._keeper = ThreadPoolExecutor(1, thread_name_prefix="journal")
        self._noting: Future[None] | None = None
        self._noted, self._noted_at = self.position, time.monotonic()
        self._follower = Follower(self.path)
        self._follower.reach(self.position)
        _journal.write(self.journal_path, self._journal)

    @property
    def total(self) -> int | None:
        """Bytes, as the hub says, or else the storage."""
        return self.wanted.size if self.wanted.size is not None else self._journal.total

    @property
    def validator(self) -> str:
        return self._journal.validator

    def begin(self, *, start: int, total: int | None, validator: str, host: str) -> None:
        """The bytes from `start` on are about to come, from a file that the storage describes so."""
        if start != self.position:
            self.restart()
        self._file.seek(self.position)
        self._journal = replace(self._journal, total=total, validator=validator, host=host)
        if self.total is not None:
            require_space(self.path, self.total - self.position)

    @property
    def buffer(self) -> memoryview:
        """What to fill before `append`, each time anew."""
        return self._follower.buffer

    def append(self, count: int) -> None:
        """Write the first `count` bytes of `buffer`."""
        portion = self.buffer[:count]
        while portion:
            portion = portion[self._file.write(portion) :]
        self.fetched += count
        self._follower.wrote(self.position, count)
        self._reached(self.position + count)

    def grew(self, position: int, fetched: int) -> None:
        """So many more bytes came, and all before `position` lie in the file: somebody else wrote them."""
        self.fetched += fetched
        self._follower.reach(position)
        self._reached(position)

    def restart(self) -> None:
        """Forget what came."""
        self._settle()
        self._follower.close()
        self.position = self._noted = 0
        self._journal = self._own(None)
        _journal.write(self.journal_path, self._journal)
        self._file.truncate(0)
        self._file.seek(0)
        self._follower = Follower(self.path)

    def head(self, count: int) -> bytes:
        """How the file begins."""
        with self.path.open("rb") as file:
            return file.read(count)

    def rest_to_hash(self) -> Iterator[int]:
        """Positions, until `hexdigest` is that of all that is here."""
        return self._follower.rest()

    def hexdigest(self) -> str:
        return self._follower.hexdigest()

    def publish(self) -> None:
        """Give the file its name; raises `FileExistsError` when another one has it."""
        self._settle()
        self._follower.close()
        self._file.truncate(self.position)
        os.fsync(self._file.fileno())
        self._file.close()
        take_free_name(self.path, self.wanted.target)
        discard(self.wanted.target)
        _sync_folder(self.path.parent)

    def close(self) -> None:
        """Keep what came for the next time, if it was not published."""
        with suppress(OSError):  # a full disk: the last note still holds
            self._settle()
        self._keeper.shutdown()
        self._follower.close()
        if not self._file.closed:
            self._keep_last()
            self._file.close()
            if not self.position:
                discard(self.wanted.target)

    def __enter__(self) -> "Part":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _reached(self, position: int) -> None:
        self.position = position
        self.farthest = max(self.farthest, position)
        now = time.monotonic()
        if position - self._noted >= _NOTED_BYTES or now - self._noted_at >= _NOTED_SECONDS:
            self._note(position, now)

    def _own(self, found: Journal | None) -> Journal:
        told = found or Journal(self.wanted.key, self.wanted.sha256, self.wanted.size)
        return replace(told, owner=Owner.this(), beat=time.time(), flushed=self.position)

    def _keep_last(self) -> None:
        """Note all that came, giving up its end where the disk is too full for a journal."""
        for position in (self.position, self.position - _ROOM_FOR_JOURNAL):
            with suppress(OSError):
                self.position = max(0, min(self.position, position))
                self._file.truncate(self.position)
                self._keep(replace(self._journal, flushed=self.position, owner=None, beat=time.time()))
                return

    def _note(self, position: int, now: float) -> None:
        if self._noting is None or self._noting.done():
            self._journal = replace(self._journal, flushed=position, beat=time.time())
            self._noting = self._keeper.submit(self._keep, self._journal)
            self._noted, self._noted_at = position, now

    def _keep(self, journal: Journal) -> None:
        os.fsync(self._file.fileno())
        _journal.write(self.journal_path, journal)

    def _settle(self) -> None:
        """Wait until nothing is being noted; raises what went wrong with it."""
        if self._noting:
            self._noting.result()
            self._noting = None


def require_space(path: Path, size: int) -> None:
    """Raise `OutOfResources` unless `size` more bytes fit beside `path`, and a little more."""
    free = shutil.disk_usage(path.parent).free
    if size > 0 and free < size + _MARGIN:
        raise OutOfResources(
            f"the disk is too full: {path.name.removesuffix('.part')} needs {size / 1e6:,.1f} MB more, "
            f"and {free / 1e6:,.1f} MB are free",
            mend=f"free space first: df -h {path.parent}",
        )


def _opened(path: Path, position: int) -> BinaryIO:
    file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666), "r+b", buffering=0)
    file.truncate(position)
    file.seek(position)
    return file


def _sync_folder(folder: Path) -> None:
    with suppress(OSError, AttributeError):  # not every system opens folders
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
