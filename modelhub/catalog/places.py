"""Paths as the catalog writes them: relative to the workspace where they lie inside it, so that it can be moved."""

import os
from pathlib import Path

from modelhub.errors import BadValue

__all__ = ["read_place", "written_place"]


def written_place(root: Path, path: Path) -> str:
    """`path` for the table; raises `BadValue` for a name that is not text."""
    full = Path(os.path.abspath(path))
    try:
        str(full).encode()
    except UnicodeEncodeError:
        raise BadValue(f"{str(path)!a}: the name is not valid UTF-8", mend="rename the file") from None
    return full.relative_to(root).as_posix() if full.is_relative_to(root) else str(full)


def read_place(root: Path, written: str) -> Path:
    """The absolute path that `written_place` wrote down."""
    return root / written
