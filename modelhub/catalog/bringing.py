"""Brings a model into the workspace's `models/`, whole or not at all, before it is registered there."""

import filecmp
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import chain, count
from pathlib import Path

from modelhub.catalog.adding import model_name
from modelhub.digests import file_digests
from modelhub.errors import BadValue
from modelhub.fingerprint import sample
from modelhub.headers import read_table
from modelhub.identify import identify
from modelhub.words.sidecars import sidecar_names
from modelhub.workspace import Workspace, publish

__all__ = ["brought"]


@contextmanager
def brought(path: Path, workspace: Workspace, *, move: bool) -> Iterator[Path]:
    """Put `path`, and the notes beside it, under `models/<kind>/`; when the block fails, all is as it was before.

    With `move` the originals go once the block has ended well. Raises `BadValue` for moving a folder of links.
    """
    folder = path.is_dir()
    if folder and move and any(each.is_symlink() for each in path.rglob("*")):
        raise BadValue(f"{path} holds links into another place, which keeps its files", mend=f"modelhub add {path}")
    kind = identify(read_table(path), name=path.stem).kind
    wished = workspace.models / kind / (model_name(path) if folder else path.name)
    if wished.exists() and _is_equal(path, wished):
        target = wished
        yield target
    else:
        with _placed(path, _free(wished), move=move) as target:
            yield target
    if move and path.resolve() != wished.resolve():
        _take_away(path, target)


@contextmanager
def _placed(path: Path, target: Path, *, move: bool) -> Iterator[Path]:
    with ExitStack() as undo:
        if path.is_dir():
            _copy_folder(path, target)
            undo.callback(shutil.rmtree, target)
        else:
            if not (move and _linked(path, target)):
                _copy(path, target)
            undo.callback(target.unlink, missing_ok=True)
        for beside, there in zip(sidecar_names(path), sidecar_names(target), strict=True):
            if (note := path.with_name(beside)).is_file() and not target.with_name(there).exists():
                _copy(note, target.with_name(there))
                undo.callback(target.with_name(there).unlink, missing_ok=True)
        yield target
        undo.pop_all()


def _is_equal(path: Path, there: Path) -> bool:
    if path.is_dir() and there.is_dir():
        return sample(path) == sample(there) and file_digests(path) == file_digests(there)
    return path.is_file() and there.is_file() and filecmp.cmp(path, there, shallow=False)


def _take_away(path: Path, target: Path) -> None:
    """With those notes that stand beside the target too."""
    for beside, there in zip(sidecar_names(path), sidecar_names(target), strict=True):
        note, copy = path.with_name(beside), target.with_name(there)
        if note.is_file() and copy.is_file() and filecmp.cmp(note, copy, shallow=False):
            note.unlink()
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def _copy(path: Path, target: Path) -> None:
    with publish(target, replace=False) as part:
        shutil.copyfile(path, part)


def _copy_folder(path: Path, target: Path) -> None:
    """With the files that links in it stand for."""
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        shutil.copytree(path, part)
        part.rename(target)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _linked(path: Path, target: Path) -> bool:
    """Give the same bytes a second name, which costs nothing on the same disk."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(path, target)
    except OSError:
        return False
    return True


def _free(path: Path) -> Path:
    numbered = (path.with_stem(f"{path.stem}-{n}") for n in count(2))
    return next(each for each in chain([path], numbered) if not os.path.lexists(each))
