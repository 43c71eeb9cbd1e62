"""The names that the world gives to a file's bytes, all taken in one pass.

A LoRA keeps its AutoV3 when its metadata is edited; the others change. AutoV1 collides for merges, so it finds
candidates and proves nothing.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from modelhub.errors import BrokenFile, MissingFile
from modelhub.jobs import Cancel, Done, Job, Progress, drain

__all__ = ["ALGORITHMS", "digest_file", "file_digests"]

ALGORITHMS = ("sha256", "autov1", "autov2", "autov3")

_CHUNK = 1 << 22
_AUTOV1 = range(0x100000, 0x110000)
"""The 64 KiB at 1 MiB that the oldest webui model hash covers."""


def file_digests(path: Path) -> Mapping[str, str]:
    """Every digest of `path` by algorithm, in lower-case hex; see `digest_file`."""
    return drain(digest_file(path))


def digest_file(path: Path, *, cancel: Cancel | None = None) -> Job[Mapping[str, str]]:
    """Hash a file: ``sha256`` (64 digits), ``autov1`` (8), ``autov2`` (10) and, for safetensors, ``autov3`` (12).

    AutoV1 is left out of a file that ends before its window, where everybody has the digest of nothing.
    Raises `MissingFile`.
    """
    try:
        with path.open("rb") as file:
            total = file.seek(0, 2)
            file.seek(0)
            digester = _Digester()
            while chunk := file.read(_CHUNK):
                if cancel:
                    cancel.check()
                digester.update(chunk)
                yield Progress(path.name, digester.position, total, "B")
    except FileNotFoundError:
        raise MissingFile(f"{path}: there is no such file") from None
    if digester.position != total:
        raise BrokenFile(path, "it changed while it was read", mend="try again when nothing writes to it")
    yield Done(digester.digests())


class _Digester:
    def __init__(self) -> None:
        self.position = 0
        """Bytes seen so far."""
        self._whole = hashlib.sha256()
        self._window = hashlib.sha256()
        self._tensors = hashlib.sha256()
        self._tensors_start: int | None = None

    def update(self, chunk: bytes) -> None:
        if self.position == 0 and chunk[8:9] == b"{":
            self._tensors_start = 8 + int.from_bytes(chunk[:8], "little")
        view = memoryview(chunk)
        self._whole.update(view)
        self._window.update(view[self._within(_AUTOV1.start) : self._within(_AUTOV1.stop)])
        if self._tensors_start is not None:
            self._tensors.update(view[self._within(self._tensors_start) :])
        self.position += len(chunk)

    def _within(self, offset: int) -> int:
        """An offset in the file as one in the present chunk, or one of its ends."""
        return max(0, offset - self.position)

    def digests(self) -> Mapping[str, str]:
        sha256 = self._whole.hexdigest()
        found = {"sha256": sha256, "autov2": sha256[:10]}
        if self.position > _AUTOV1.start:
            found["autov1"] = self._window.hexdigest()[:8]
        if self._tensors_start is not None:
            found["autov3"] = self._tensors.hexdigest()[:12]
        return found
