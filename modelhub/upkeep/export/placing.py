"""Puts one name into another tool's folder, whole or not at all."""

import errno
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from modelhub.upkeep.export.layouts import Links
from modelhub.upkeep.export.showing import Link

__all__ = ["part_of", "place", "reason_for"]


def place(path: Path, link: Link, how: Links, *, replaces: bool) -> None:
    """Make `link` under a temporary name first, so that the real one is there whole or not at all.

    Raises `FileExistsError` when something has come there meanwhile that is not to be replaced.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = part_of(path)
    part.unlink(missing_ok=True)
    try:
        if link.source is None:
            part.write_bytes(link.text)
        elif how is Links.SYMBOLIC:
            part.symlink_to(link.source, target_is_directory=link.source.is_dir())
        elif how is Links.HARD:
            os.link(link.source.resolve(), part)
        else:
            _copy(link.source, part)
        if not replaces and os.path.lexists(path):
            raise FileExistsError(errno.EEXIST, "something else stands there by now")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _copy(source: Path, part: Path) -> None:
    shutil.copyfile(source, part)
    with part.open("rb") as file:
        os.fsync(file.fileno())
    there = source.stat()
    os.utime(part, ns=(there.st_atime_ns, there.st_mtime_ns))


def part_of(path: Path) -> Path:
    """The temporary name: always the same, so that what a kill leaves is found."""
    return path.with_name(f".{path.name}.modelhub.part")


_REASONS: Mapping[Links, str] = {
    Links.SYMBOLIC: "try --links hard",
    Links.HARD: "hard links stay on one disk and name no folders: try --links symbolic",
    Links.COPY: "try --links symbolic",
}


def reason_for(error: OSError, how: Links) -> str:
    """Why a link could not be made, and what to try."""
    return f"{error.strerror or error}; {_REASONS[how]}"
