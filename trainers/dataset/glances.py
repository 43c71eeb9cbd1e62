"""What was seen of pictures, remembered by their bytes: none is decoded a second time to be judged."""

import hashlib
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Self

import msgspec
import PIL

from modelhub.errors import OutOfResources
from modelhub.workspace import Workspace, publish
from trainers.dataset.files import content_of
from trainers.dataset.glance import glance, glimpse, why_unread
from trainers.dataset.nouns import Glance, Glimpse, Unread
from trainers.dataset.pictures import UNREADABLE

__all__ = ["Glances"]

_SCHEMA = 1
"""Raised whenever the same bytes would come to another glance."""


class Glances:
    """Looks at pictures. For as long as it lives, files are taken to stay as they are."""

    def __init__(self, folder: Path | None = None) -> None:
        """`folder` is where they are kept from one command to the next."""
        self._folder = folder
        self._seen: dict[tuple[Path, int], Glance] = {}

    @classmethod
    def of(cls, workspace: Workspace) -> Self:
        """Those that a workspace keeps."""
        return cls(workspace.cache / "glances")

    def at(self, path: Path, *, thumbnail: int = 0) -> Glance | Unread:
        """What the bytes of a picture tell; `thumbnail` is the greatest side of a copy to keep, in pixels."""
        if known := self._seen.get((path, thumbnail)):
            return known
        try:
            found = self._look(content_of(path), thumbnail)
        except UNREADABLE as error:
            return Unread(path, why_unread(path, error))
        self._seen[path, thumbnail] = found
        return found

    def glimpse(self, path: Path) -> Glimpse | Glance | Unread:
        """What its header tells; of a file that may have no end, all."""
        if known := self._seen.get((path, 0)):
            return known.glimpse if known.is_whole else known
        try:
            content = content_of(path)
            return glimpse(content, hashlib.sha256(content).hexdigest())
        except UNREADABLE as error:
            return Unread(path, why_unread(path, error))

    def _look(self, content: bytes, thumbnail: int) -> Glance:
        sha256 = hashlib.sha256(content).hexdigest()
        if kept := self._kept(sha256, thumbnail):
            return kept
        found = glance(content, sha256, thumbnail=thumbnail)
        self._keep(found, thumbnail)
        if thumbnail:
            self._keep(replace(found, thumbnail=b""), 0)
        return found

    def _kept(self, sha256: str, thumbnail: int) -> Glance | None:
        """None where nothing is, or nothing that can be used."""
        if self._folder is None:
            return None
        with suppress(OSError, msgspec.MsgspecError):
            found = msgspec.msgpack.decode(self._file(self._folder, sha256, thumbnail).read_bytes(), type=Glance)
            return found if found.sha256 == sha256 else None
        return None

    def _keep(self, found: Glance, thumbnail: int) -> None:
        """Where there is room for it: a picture can be looked at again."""
        if self._folder is None:
            return
        with (
            suppress(OSError, OutOfResources),
            publish(self._file(self._folder, found.sha256, thumbnail)) as part,
        ):
            part.write_bytes(msgspec.msgpack.encode(found))

    def _file(self, folder: Path, sha256: str, thumbnail: int) -> Path:
        """Named by everything that decides what it holds: other releases of Pillow may decode otherwise."""
        parts = (_SCHEMA, PIL.__version__, sha256, thumbnail)
        return folder / f"{hashlib.sha256(repr(parts).encode()).hexdigest()}.msgpack"
