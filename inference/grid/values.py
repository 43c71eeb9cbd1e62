"""The values along an axis, as webui writes them: ``1-5``, ``1-9 (+2)``, ``1-10 [5]``, ``a, "b, c"``."""

import csv
import re
from collections.abc import Iterator

from modelhub.errors import BadValue

__all__ = ["floats", "integers", "orders", "texts"]

_NUMBER = r"([+-]?\d+(?:\.\d+)?)"
_STEPPED = re.compile(rf"\s*{_NUMBER}\s*-\s*{_NUMBER}(?:\s*\(\s*{_NUMBER}\s*\))?\s*")
_COUNTED = re.compile(rf"\s*{_NUMBER}\s*-\s*{_NUMBER}\s*\[\s*(\d+)\s*\]\s*")
_MOST = 1000


def texts(said: str) -> list[str]:
    """Divided at commas, but for those in quotation marks."""
    (row,) = csv.reader([said.replace("\n", " ")], skipinitialspace=True)
    return [one.strip() for one in row]


def integers(said: str) -> list[int]:
    """Whole numbers and ranges of them, both ends among them."""
    return [int(one) for one in _numbers(said, 1.0, whole=True)]


def floats(said: str) -> list[float]:
    """Numbers and ranges of them."""
    return [float(f"{one:.6g}") for one in _numbers(said, 1.0, whole=False)]


def orders(said: str) -> list[tuple[str, ...]]:
    """All orders of the texts (webui: Prompt order)."""
    from itertools import permutations

    words = texts(said)
    if len(words) > 5:
        raise BadValue(f"{len(words)} words stand in too many orders to draw", mend="give at most 5")
    return list(permutations(words))


def _numbers(said: str, step: float, *, whole: bool) -> Iterator[float]:
    for one in texts(said):
        yield from _range(one, step, whole=whole)


def _range(one: str, step: float, *, whole: bool) -> list[float]:
    if counted := _COUNTED.fullmatch(one):
        first, last, count = float(counted[1]), float(counted[2]), int(counted[3])
        _check(count, one)
        found = [first + (last - first) * (index / max(1, count - 1)) for index in range(count)]
        return [float(int(value)) for value in found] if whole else found
    if stepped := _STEPPED.fullmatch(one):
        first, last = float(stepped[1]), float(stepped[2])
        by = abs(float(stepped[3] or step)) * (1 if last >= first else -1)
        if by == 0:
            raise BadValue(f"{one!r}: a range takes steps", mend="write 1-9 (+2)")
        count = int((last - first) / by + 1e-6) + 1
        _check(count, one)
        return [first + index * by for index in range(count)]
    try:
        return [float(int(one) if whole else float(one))]
    except ValueError as error:
        raise BadValue(f"{one!r} is no {'whole ' if whole else ''}number", mend="write 1, 5-9 or 1-9 (+2)") from error


def _check(count: int, one: str) -> None:
    if not 1 <= count <= _MOST:
        raise BadValue(f"{one!r} has {count} values; at most {_MOST} are drawn")
