"""Moves files and model folders so that whoever is killed on the way can be finished: nothing is ever lost between.

A move that was begun may be begun again: what stands at both places is compared before one of them goes.
"""

import errno
import filecmp
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from modelhub.workspace import publish

__all__ = ["move", "remove"]


def move(source: Path, target: Path) -> None:
    """Afterwards it lies at `target` alone. Raises `FileExistsError` when something else stands there."""
    if not os.path.lexists(source) and os.path.lexists(target):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        _move_folder(source, target)
    else:
        _move_file(source, target)


def remove(path: Path) -> None:
    """Delete a file, or a model folder with all that is in it, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _move_file(source: Path, target: Path) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:  # it stands there already, or that is another file system, or one without hard links
        _copy(source, target)
    source.unlink()


def _copy(source: Path, target: Path) -> None:
    if os.path.lexists(target):
        _require_equal(source, target)
        return
    with publish(target, replace=False) as part:
        shutil.copyfile(source, part)
        shutil.copystat(source, part)
    _flush(target.parent)


def _move_folder(source: Path, target: Path) -> None:
    if not os.path.lexists(target):
        try:
            source.rename(target)
        except OSError:  # another file system
            _copy_folder(source, target)
    if source.exists():
        _require_equal(source, target)
        shutil.rmtree(source)


def _copy_folder(source: Path, target: Path) -> None:
    part = target.with_name(f".{target.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    shutil.copytree(source, part)
    for path in _files(part):
        with path.open("rb") as file:
            os.fsync(file.fileno())
    part.rename(target)
    _flush(target.parent)


def _require_equal(source: Path, target: Path) -> None:
    pairs = [(each, target / each.relative_to(source)) for each in _files(source)]
    if not all(there.is_file() and filecmp.cmp(here, there, shallow=False) for here, there in pairs):
        raise FileExistsError(errno.EEXIST, "another file stands there", str(target))


def _files(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield from (each for each in path.rglob("*") if each.is_file())
    else:
        yield path


def _flush(folder: Path) -> None:
    """Make a new name last, where the system lets a folder be flushed."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
