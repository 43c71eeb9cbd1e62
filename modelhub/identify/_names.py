"""What a file's name says: the weakest evidence, and only where its words are unmistakable."""

import re
from collections.abc import Iterable
from functools import cache

from modelhub.families import known

__all__ = ["families_hinted", "families_named", "says", "words"]


def families_named(name: str) -> frozenset[str]:
    """The families whose marks stand in a file's name as words of their own."""
    return _named(name, "name_marks")


def families_hinted(name: str) -> frozenset[str]:
    """Likewise those whose ordinary marks stand there, which may mean anything else."""
    return _named(name, "ordinary_marks")


def says(name: str, marks: Iterable[str]) -> str | None:
    """The first of `marks` that stands in a file's name as words of its own."""
    spoken = words(name)
    return next((mark for mark in marks if re.search(rf"(?<![a-z0-9]){re.escape(words(mark))}(?![a-z])", spoken)), None)


def words(name: str) -> str:
    """`name` in lower case, parted at capitals and at all that is no letter or digit: ``sd_v1-5`` is ``sd v1 5``.

    A number belongs to the letters before it, so ``flux.2``, ``FLUX 2`` and ``flux2`` are one word.
    """
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()
    return re.sub(r"(?<=[a-z]) (?=[0-9])", "", re.sub(r"[^a-z0-9]+", " ", parted)).strip()


def _named(name: str, field: str) -> frozenset[str]:
    marks, pattern = _marks(field)
    return frozenset(marks[found] for found in pattern.findall(words(name)))


@cache
def _marks(field: str) -> tuple[dict[str, str], re.Pattern[str]]:
    """Marks -> families, and what finds the longest mark at each place; a version may follow (``sdxl10``)."""
    marks = {words(mark): one.name for one in known().values() for mark in getattr(one, field)}
    longest_first = sorted(marks, key=len, reverse=True)
    return marks, re.compile(rf"(?<![a-z0-9])({'|'.join(map(re.escape, longest_first))})(?![a-z])")
