"""What tells one model from another without reading it through: size, time, inode, a sample of its bytes."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from blake3 import blake3

from modelhub.errors import MissingFile
from modelhub.headers import folder_files

__all__ = ["Fingerprint", "file_key", "fingerprint", "sample"]

_SAMPLED = 1 << 17
"""Bytes at each end."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A file, or a model folder, as its file system describes it."""

    size: int
    """Bytes; of a folder the sum of its files."""
    mtime_ns: int
    """Of a folder the newest of its files."""
    file_key: str
    """Device and inode: two paths with the same one are one file with two names."""


def fingerprint(path: Path) -> Fingerprint:
    """Costs a look at each file, and reads none. Raises `MissingFile`."""
    try:
        there = path.stat()
        if not stat.S_ISDIR(there.st_mode):
            return Fingerprint(there.st_size, there.st_mtime_ns, file_key(there))
        files = [one.stat() for one in folder_files(path)]
    except (FileNotFoundError, NotADirectoryError):
        raise MissingFile(f"{path}: there is no such file") from None
    newest = max((one.st_mtime_ns for one in files), default=there.st_mtime_ns)
    return Fingerprint(sum(one.st_size for one in files), newest, file_key(there))


def file_key(there: os.stat_result) -> str:
    """Device and inode as ``dev:ino``."""
    return f"{there.st_dev}:{there.st_ino}"


def sample(path: Path) -> str:
    """BLAKE3 over the size, the first and the last 128 KiB; of a folder over its files' paths and samples.

    Unequal samples prove unequal bytes; equal ones only make it likely that they are equal. Raises `MissingFile`.
    """
    try:
        if not path.is_dir():
            return _sampled(path)
        lines = [f"{one.relative_to(path).as_posix()}\0{_sampled(one)}\n" for one in folder_files(path)]
    except FileNotFoundError:
        raise MissingFile(f"{path}: there is no such file") from None
    return blake3("".join(lines).encode()).hexdigest()


def _sampled(path: Path) -> str:
    with path.open("rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        digest = blake3(size.to_bytes(8, "little"))
        digest.update(file.read(_SAMPLED))
        file.seek(max(_SAMPLED, size - _SAMPLED))
        digest.update(file.read(_SAMPLED))
    return digest.hexdigest()
