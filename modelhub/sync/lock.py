"""What each entry of `models.toml` came to, to the byte."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import PurePosixPath

from modelhub.hubs import HubRef, Listing, RemoteFile
from modelhub.kinds import Kind
from modelhub.licences import UNKNOWN, Licence
from modelhub.pull import Choice
from modelhub.sync.manifest import Entry

__all__ = ["Lock", "Locked", "LockedFile", "content_sha256", "locked_from"]


@dataclass(frozen=True, slots=True)
class LockedFile:
    """One file, to the byte."""

    path: str
    """Its name; within a folder its path, with slashes."""
    sha256: str
    size: int
    """Bytes."""
    key: str = ""
    """The hub's own mark for it."""


@dataclass(frozen=True, slots=True)
class Locked:
    """What one entry came to."""

    name: str
    """In the catalog that wrote the lock."""
    asked: HubRef
    """As the manifest says it."""
    ref: HubRef
    """With its version and its file."""
    files: tuple[LockedFile, ...]
    is_folder: bool = False
    kind: Kind | None = None
    choice: Choice = field(default_factory=Choice)
    tags: tuple[str, ...] = ()
    base: str = ""
    """The hub's word for it."""
    trigger_words: tuple[str, ...] = ()
    licence: Licence = UNKNOWN
    """As it was when this was locked."""
    locked_at: date | None = None

    @property
    def sha256(self) -> str:
        """As the catalog has it: of the file, or of a folder's list of files."""
        found = content_sha256({one.path: one.sha256 for one in self.files}, is_folder=self.is_folder)
        return found or ""

    def answers(self, entry: Entry) -> bool:
        """Whether it is still what `entry` asks for, so that nothing newer is looked for."""
        is_asked = entry.ref == self.asked or entry.ref.covers(self.ref)
        return is_asked and entry.choice == self.choice and entry.kind in (None, self.kind)

    def is_like(self, entry: Entry) -> bool:
        """Whether nothing about `entry` has changed since."""
        says = (entry.ref, entry.name or self.name, entry.tags)
        return self.answers(entry) and says == (self.asked, self.name, self.tags)

    @property
    def listing(self) -> Listing:
        """As a hub would list it, for when none can be asked."""
        files = tuple(RemoteFile(one.path, one.key, one.size, digests={"sha256": one.sha256}) for one in self.files)
        stem = self.name if self.is_folder else PurePosixPath(self.files[0].path).stem
        return Listing(
            ref=self.ref,
            name=stem,
            files=files,
            is_folder=self.is_folder,
            title=self.name,
            kind=self.kind,
            base=self.base,
            trigger_words=self.trigger_words,
            licence=self.licence,
        )


Lock = tuple[Locked, ...]


def content_sha256(files: Mapping[str, str | None], *, is_folder: bool) -> str | None:
    """The digest that the catalog gives to these files (path -> sha256); None while one of theirs is unknown."""
    if not files or not all(files.values()):
        return None
    if not is_folder:
        return next(iter(files.values()))
    lines = "".join(f"{path}\0{digest}\n" for path, digest in sorted(files.items()))
    return hashlib.sha256(lines.encode()).hexdigest()


def locked_from(
    entry: Entry, listing: Listing, files: Sequence[LockedFile], *, name: str, kind: Kind | None, today: date
) -> Locked:
    """What `entry` came to; `files` as they were measured."""
    return Locked(
        name=name,
        asked=entry.ref,
        ref=listing.ref,
        files=tuple(sorted(files, key=lambda one: one.path)),
        is_folder=listing.is_folder or len(files) > 1,
        kind=entry.kind or kind,
        choice=entry.choice,
        tags=entry.tags,
        base=listing.base,
        trigger_words=listing.trigger_words,
        licence=listing.licence,
        locked_at=today,
    )
