"""Tokens in files that only their owner may read."""

import os
import stat
import tempfile
from pathlib import Path

from modelhub.errors import UnsafeFile
from modelhub.workspace import disk_error

__all__ = ["check_private", "delete_file", "read_token", "write_private"]

_LARGEST = 1 << 14


def read_token(path: Path) -> str | None:
    """What stands in `path`, or None, also where it is not for us to read."""
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST).decode("utf-8", errors="replace").strip() or None
    except OSError:
        return None


def check_private(path: Path) -> None:
    """Raises `UnsafeFile` when somebody else may read or write `path`, or it is theirs."""
    if os.name != "posix":
        return
    try:
        found = path.stat()
    except OSError:
        return
    if stat.S_IMODE(found.st_mode) & 0o077 or found.st_uid != os.geteuid():
        raise UnsafeFile(f"others than you may read or write the token in {path}", mend=f"chmod 600 {path}")


def write_private(path: Path, text: str) -> None:
    """Write `path` whole or not at all, for its owner only; a folder that is made for it is the owner's only, too."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, part = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # which only we may read
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(part).replace(path)
        finally:
            Path(part).unlink(missing_ok=True)
    except OSError as error:
        raise disk_error(error, path) from error


def delete_file(path: Path) -> bool:
    """Whether it was there."""
    try:
        path.unlink()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True
