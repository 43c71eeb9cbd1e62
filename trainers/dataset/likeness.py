"""Which pictures are the same to the eye: copies that were resized, saved again, mirrored, or cut a little."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["AS_IT_IS", "MIRRORED", "Alike", "Look", "Turned", "joined", "look_alikes", "look_of"]

Turned: TypeAlias = tuple[bool, bool, bool]
"""Whether its axes are exchanged, then whether left and right, then whether top and bottom are."""

AS_IT_IS: Turned = (False, False, False)
MIRRORED: Turned = (False, True, False)
_TURNS: tuple[Turned, ...] = (
    AS_IT_IS, MIRRORED, *((axes, across, down) for axes in (False, True) for down in (False, True)
                          for across in (False, True) if axes or down),
)  # fmt: skip
_HASHED, _KEPT, _TINY = 32, 8, 16
"""Sides in pixels: of what is transformed, of the low frequencies that are kept, and of the tiny copy."""
_BITS = 10
"""Of 64 that may differ."""
_LEVELS = 12.0
"""Root mean square by which the tiny copies may differ, of 255: other colours make another picture."""
_ROWS, _CANDIDATES = 256, 4096
"""Pictures that are compared with all others at once, and pairs of tiny copies."""


@dataclass(frozen=True, slots=True)
class Look:
    """A picture from afar."""

    hashes: tuple[int, ...]
    """64 bits each that look alike for pictures that look alike: as it is, and turned in all ways."""
    tiny: bytes
    """16 x 16 pixels, RGB."""
    brightness: float
    """Mean, 0 to 255."""


@dataclass(frozen=True, slots=True)
class Alike:
    """Two pictures, by their places, that are the same once the first one is turned."""

    left: int
    right: int
    turned: Turned


def look_of(image: Image.Image) -> Look:
    """What is compared of a picture in RGB."""
    grey = np.asarray(image.convert("L").resize((_HASHED, _HASHED), Image.Resampling.BOX), dtype=np.float32)
    tiny = np.asarray(image.resize((_TINY, _TINY), Image.Resampling.BOX))
    waves = _cosines() @ grey @ _cosines().T
    return Look(tuple(_bits(_turned_waves(waves, turn)) for turn in _TURNS), tiny.tobytes(), float(grey.mean()))


def look_alikes(looks: Sequence[Look]) -> list[Alike]:
    """All pairs that look alike, those that need no turning first; the hashes name candidates, tiny copies decide.

    They are compared in the order of their brightness, since what looks alike is about as bright.
    """
    if not looks:
        return []
    tiny = np.array([np.frombuffer(one.tiny, dtype=np.uint8) for one in looks]).reshape(-1, _TINY, _TINY, 3)
    levels = tiny.mean(axis=(1, 2, 3))
    order = np.argsort(levels, kind="stable")
    hashes = np.array([looks[place].hashes for place in order], dtype=np.uint64)
    found = []
    for start in range(0, len(looks), _ROWS):
        rows = slice(start, start + _ROWS)
        end = np.searchsorted(levels[order], levels[order[rows][-1]] + _LEVELS, side="right")
        for number, turn in enumerate(_TURNS):
            differing = np.bitwise_count(hashes[rows, None, number] ^ hashes[None, start:end, 0])
            left, right = np.nonzero(differing <= _BITS)
            lefts, rights = order[left[left < right] + start], order[right[left < right] + start]
            found += [_in_order(*pair, turn) for pair in _near(tiny, lefts, rights, turn)]
    return sorted(found, key=lambda one: (_TURNS.index(one.turned), one.left, one.right))


def joined(count: int, pairs: Iterable[tuple[int, int]]) -> list[list[int]]:
    """Groups of `count` places, in their order; what goes with a member of a group belongs to it."""
    leader = list(range(count))

    def first(one: int) -> int:
        while leader[one] != one:
            leader[one] = leader[leader[one]]
            one = leader[one]
        return one

    for left, right in pairs:
        low, high = sorted((first(left), first(right)))
        leader[high] = low
    groups: dict[int, list[int]] = {}
    for index in range(count):
        groups.setdefault(first(index), []).append(index)
    return list(groups.values())


def _in_order(left: int, right: int, turn: Turned) -> Alike:
    """By places; the other way round, a turn to the left is one to the right."""
    axes, across, down = turn
    return Alike(left, right, turn) if left < right else Alike(right, left, (axes, down, across) if axes else turn)


def _near(
    tiny: NDArray[np.uint8], lefts: NDArray[np.intp], rights: NDArray[np.intp], turn: Turned
) -> Iterator[tuple[int, int]]:
    for start in range(0, len(lefts), _CANDIDATES):
        left, right = lefts[start : start + _CANDIDATES], rights[start : start + _CANDIDATES]
        apart = _turned_pixels(tiny[left], turn).astype(np.float32) - tiny[right]
        near = np.sqrt(np.mean(apart**2, axis=(1, 2, 3))) <= _LEVELS
        yield from zip(left[near].tolist(), right[near].tolist(), strict=True)


def _turned_pixels(pictures: NDArray[np.uint8], turn: Turned) -> NDArray[np.uint8]:
    """[N, down, across, 3]."""
    axes, across, down = turn
    found = pictures.transpose(0, 2, 1, 3) if axes else pictures
    return found[:, :: -1 if down else 1, :: -1 if across else 1]


def _turned_waves(waves: NDArray[np.floating], turn: Turned) -> NDArray[np.floating]:
    """A mirrored picture has the same waves, but for the signs of the odd ones."""
    axes, across, down = turn
    odd = (-1.0) ** np.arange(_KEPT, dtype=np.float32)
    found = waves.T if axes else waves
    return found * (odd if across else 1) * (odd[:, None] if down else 1)


def _bits(waves: NDArray[np.floating]) -> int:
    """A bit for each low frequency: whether it is above their median."""
    low = waves.ravel().copy()
    low[0] = 0.0  # the mean, so that a brighter copy hashes alike
    return int.from_bytes(np.packbits(low > np.median(low)).tobytes())


@cache
def _cosines() -> NDArray[np.float32]:
    """The first rows of the cosine transform, [kept, hashed]."""
    places = np.arange(_HASHED) + 0.5
    return np.cos(np.pi / _HASHED * np.outer(np.arange(_KEPT), places)).astype(np.float32)
