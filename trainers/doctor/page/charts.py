"""Numbers as bars and dots, in percent of the space that a page gives them (pure)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Bar", "Dot", "bars", "dots", "token_bars"]

_CHUNK = 75
_BIN = 25
"""Tokens."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One row of a histogram."""

    label: str
    value: float
    width: float
    """In percent of the longest."""
    is_long: bool = False
    """Whether it stands for captions that need more than one chunk."""


@dataclass(frozen=True, slots=True)
class Dot:
    """A size, in percent of the largest side."""

    across: float
    down: float
    label: str
    is_bucket: bool


def bars(counts: Sequence[tuple[str, float]]) -> list[Bar]:
    """In the order given."""
    longest = max((value for _, value in counts), default=0)
    return [Bar(label, value, round(100 * value / longest, 1)) for label, value in counts if longest]


def token_bars(tokens: Sequence[int]) -> list[Bar]:
    """A row for every 25 tokens, so that the chunks of 75 end where a row ends."""
    if not tokens:
        return []
    bins = [0] * (max(tokens) // _BIN + 1)
    for number in tokens:
        bins[max(0, number - 1) // _BIN] += 1
    rows = bars([(f"{index * _BIN + 1}-{(index + 1) * _BIN}", value) for index, value in enumerate(bins)])
    return [
        Bar(row.label, row.value, row.width, is_long=index * _BIN >= _CHUNK)
        for index, row in enumerate(rows)
        if row.value or index < len(rows) - 1
    ]


def dots(sizes: Sequence[tuple[int, int]], buckets: Sequence[tuple[int, int]]) -> list[Dot]:
    """Buckets first, so that pictures lie on top of them; scaled by roots, or small ones would crowd the corner."""
    largest = max((max(size) for size in [*sizes, *buckets]), default=1)

    def dot(size: tuple[int, int], is_bucket: bool) -> Dot:
        across, down = (round(100 * math.sqrt(side / largest), 2) for side in size)
        return Dot(across, round(100 - down, 2), f"{size[0]} x {size[1]}", is_bucket)

    return [*(dot(each, True) for each in buckets), *(dot(each, False) for each in sorted(set(sizes)))]
