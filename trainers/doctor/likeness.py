"""Which pictures are the same to the eye: copies that were resized, saved again, or cut a little (pure)."""

from collections.abc import Iterator, Sequence

import numpy as np

from trainers.doctor.nouns import Glance

__all__ = ["look_alikes"]

_BITS = 10
"""Of 64 that may differ."""
_LEVELS = 12.0
"""Root mean square by which the tiny copies may differ, of 255: other colours make another picture."""
_ROWS = 512
"""Pictures that are compared with all others at once."""


def look_alikes(glances: Sequence[Glance]) -> list[tuple[int, ...]]:
    """Groups of two and more, as indices; what looks like a member of a group belongs to it."""
    leader = list(range(len(glances)))

    def first(one: int) -> int:
        while leader[one] != one:
            leader[one] = leader[leader[one]]
            one = leader[one]
        return one

    for left, right in _pairs(glances):
        low, high = sorted((first(left), first(right)))
        leader[high] = low
    groups: dict[int, list[int]] = {}
    for index in range(len(glances)):
        groups.setdefault(first(index), []).append(index)
    return [tuple(group) for group in groups.values() if len(group) > 1]


def _pairs(glances: Sequence[Glance]) -> Iterator[tuple[int, int]]:
    """All pairs that look alike: the hashes name candidates, the tiny copies decide."""
    hashes = np.array([one.hash for one in glances], dtype=np.uint64)
    tiny = np.array([np.frombuffer(one.tiny, dtype=np.uint8) for one in glances], dtype=np.float32)
    for start in range(0, len(glances), _ROWS):
        differing = np.bitwise_count(hashes[start : start + _ROWS, None] ^ hashes[None, start:])
        for row, column in np.argwhere(differing <= _BITS):
            left, right = start + int(row), start + int(column)
            if left < right and np.sqrt(np.mean((tiny[left] - tiny[right]) ** 2)) <= _LEVELS:
                yield left, right
