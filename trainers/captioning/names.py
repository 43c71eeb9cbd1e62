"""Words that pictures are named by (pure)."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from trainers.captioning.nouns import Say
from trainers.dataset.folder import KOHYA_FOLDER

__all__ = ["NAMES", "by_name"]

_COUNT = re.compile(r"^\d+[\s_-]+|[\s_-]*(?:\(\d+\)|(?<![^\W\d_])\d+)$")
"""A number around a name, which tells a picture from the next: ``02-``, ``_003``, `` (2)``; not that of ``r2d2``."""


def by_name(rule: str) -> Say:
    """Says of each picture what one of `NAMES` finds in its path; None where that is nothing."""
    words = NAMES[rule]

    def say(pictures: Sequence[Path]) -> list[str | None]:
        return [words(one) for one in pictures]

    return say


def _file(path: Path) -> str:
    """``02-red_fox (3).png``: red fox."""
    return _words(_COUNT.sub("", path.stem))


def _folder(path: Path) -> str:
    """``10_red_fox/1.png``: red fox."""
    name = path.absolute().parent.name
    match = KOHYA_FOLDER.fullmatch(name)
    return _words(match[2] if match else name)


def _words(name: str) -> str:
    """Underscores part words, and so do hyphens where nothing else does."""
    spaced = name.replace("_", " ")
    return " ".join((spaced if re.search(r"[\s,]", spaced) else spaced.replace("-", " ")).split())


NAMES: Mapping[str, Callable[[Path], str]] = {"name": _file, "folder": _folder}
