"""Brings a file into the workspace's `models/`, whole or not at all, before it is registered there."""

import filecmp
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain, count
from pathlib import Path

from modelhub.headers import read_table
from modelhub.identify import identify
from modelhub.workspace import Workspace, publish

__all__ = ["brought"]


@contextmanager
def brought(path: Path, workspace: Workspace, *, move: bool) -> Iterator[Path]:
    """Put `path` under `models/<kind>/`; when the block fails, all is as it was before.

    With `move` the original goes once the block has ended well.
    """
    wished = workspace.models / identify(read_table(path), name=path.stem).kind / path.name
    if wished.is_file() and filecmp.cmp(path, wished, shallow=False):
        yield wished
    else:
        with _placed(path, _free(wished), move=move) as target:
            yield target
    if move and path.resolve() != wished.resolve():
        path.unlink()


@contextmanager
def _placed(path: Path, target: Path, *, move: bool) -> Iterator[Path]:
    if not (move and _linked(path, target)):
        with publish(target, replace=False) as part:
            shutil.copyfile(path, part)
    try:
        yield target
    except BaseException:
        target.unlink(missing_ok=True)
        raise


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
