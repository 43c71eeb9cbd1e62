"""Files that others named and filled: asked for and read so that nothing about them is a surprise."""

import json
import os
import shlex
import stat
from errno import EFBIG, EINVAL
from pathlib import Path
from typing import Any

from modelhub.errors import BadValue

__all__ = ["content_of", "holds_any", "is_folder", "is_there", "looked_for", "parsed_json", "readable_again"]

_MOST = 1 << 30
"""Bytes of a picture, caption or list; larger ones are something else."""


def is_there(path: Path) -> bool:
    """Whether a path leads to a file, as far as one may look."""
    return os.path.isfile(path)  # noqa: PTH113  # which bears names that are too long for any disk


def is_folder(place: Path) -> bool:
    """Whether a path leads to a folder; raises `BadValue` where nobody may look."""
    try:
        return place.is_dir()
    except PermissionError as error:
        raise BadValue(f"{place} cannot be read: {error.strerror}", mend=readable_again(place.parent)) from None
    except OSError:
        return False


def holds_any(place: Path) -> bool:
    """Whether a path leads to anything."""
    return os.path.exists(place)  # noqa: PTH110  # the same


def content_of(path: Path) -> bytes:
    """A file's bytes; raises `OSError` for what has none or no end, as a folder, a pipe, a device."""
    told = path.stat()
    if not stat.S_ISREG(told.st_mode):
        raise OSError(EINVAL, "it is no regular file", str(path))
    if told.st_size > _MOST:
        raise OSError(EFBIG, f"it has {told.st_size} bytes, more than {_MOST}", str(path))
    return path.read_bytes()


def parsed_json(text: str, where: str) -> Any:
    """What JSON holds; `BadValue` says where it is wrong."""
    try:
        return json.loads(text)
    except RecursionError:
        raise BadValue(f"{where}: its brackets are nested too deeply", mend="write it anew") from None
    except ValueError as error:
        raise BadValue(f"{where}: {error}", mend="write it as JSON there") from None


def looked_for(place: Path) -> str:
    """The command that shows what is there in place of what was named."""
    return f"ls {shlex.quote(str(place.parent))}"


def readable_again(place: Path) -> str:
    """The command that gives the right to read a file or folder."""
    return f"chmod -R u+rX {shlex.quote(str(place))}"
