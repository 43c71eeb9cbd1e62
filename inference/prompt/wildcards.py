"""Wildcards: text files of which a prompt takes a line, ``__name__`` (pure but for reading them)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path

from modelhub.errors import BadValue

__all__ = ["WILDCARD", "Wildcards"]

WILDCARD = re.compile(r"__(?P<name>[\w*](?:[\w./*-]*?[\w*])?)__")
"""A name may hold folders, and ``*`` for any number of letters."""


@dataclass(frozen=True)
class Wildcards:
    """The files below one folder; ``colours/warm.txt`` is called ``colours/warm``."""

    root: Path

    def lines(self, name: str) -> tuple[str, ...]:
        """What ``__name__`` may become, of all files that the name fits; raises `BadValue` naming near ones."""
        fitting = [path for known, path in self.files.items() if fnmatchcase(known.lower(), name.lower())]
        lines = tuple(line for path in fitting for line in _lines(path))
        if not fitting:
            raise BadValue(f"there is no wildcard {name!r}{self._near(name)}", mend=f"write {self.root / name}.txt")
        if not lines:
            raise BadValue(f"the wildcard {name!r} holds no lines", mend=f"write some into {fitting[0]}")
        return lines

    @cached_property
    def files(self) -> Mapping[str, Path]:
        """Name -> file, in the order of their names."""
        found = sorted(self.root.rglob("*.txt"))
        return {path.relative_to(self.root).with_suffix("").as_posix(): path for path in found}

    def _near(self, name: str) -> str:
        near = get_close_matches(name, self.files, n=3)
        return f" (is it {' or '.join(near)}?)" if near else f" in {self.root}"


def _lines(path: Path) -> list[str]:
    """Without empty ones, and those that begin with ``#``."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise BadValue(f"{path} is no text in UTF-8", mend="save it as UTF-8") from error
    return [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
