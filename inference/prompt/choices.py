"""Prompts that leave something to chance: ``{red|green}``, ``{2$$a|b|c}``, ``{0.3::rare|often}`` and ``__wildcard__``.

The notation is that of the dynamic-prompts extension. What is chosen depends on a seed alone, so that a picture is
drawn again with the very words.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations, product
from random import Random

from inference.prompt.wildcards import WILDCARD, Wildcards
from modelhub.errors import BadValue

__all__ = ["chosen", "every", "has_choices"]

_HEAD = re.compile(r"\s*(?P<low>\d*)(?P<range>-?)(?P<high>\d*)\$\$(?:(?P<between>[^${}|]*)\$\$)?")
_WEIGHT = re.compile(r"\s*(?P<weight>\d+(?:\.\d+)?|\.\d+)::")
_OPENING, _CLOSING = "{[(<", "}])>"
_DEEPEST = 30
"""Wildcards within wildcards; more is a circle."""


@dataclass(frozen=True, slots=True)
class _Option:
    text: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class _Choice:
    """A place where something is chosen."""

    options: tuple[_Option, ...]
    low: int = 1
    high: int = 1
    """How many are taken, each at most once."""
    between: str = ", "


def has_choices(text: str) -> bool:
    """Whether it leaves anything to chance."""
    return any(isinstance(piece, re.Match | _Choice) for piece in _pieces(text))


def chosen(text: str, wildcards: Wildcards, random: Random) -> str:
    """The text with one way taken everywhere; raises `BadValue` for a wildcard that there is not."""
    return _chosen(text, wildcards, random, 0)


def every(text: str, wildcards: Wildcards) -> Iterator[str]:
    """The text in all its ways, the last choice changing first."""
    return _every(text, wildcards, 0)


def _chosen(text: str, wildcards: Wildcards, random: Random, depth: int) -> str:
    written = []
    for piece in _pieces(text):
        if isinstance(piece, str):
            written.append(piece)
            continue
        choice = _choice(piece, wildcards, depth)
        taken = _drawn(choice, random)
        written.append(choice.between.join(_chosen(one.text, wildcards, random, depth + 1) for one in taken))
    return "".join(written)


def _drawn(choice: _Choice, random: Random) -> list[_Option]:
    """As many as are wanted, by their weights, none twice."""
    left, taken = list(choice.options), []
    for _ in range(random.randint(choice.low, choice.high)):
        weights = [one.weight for one in left]
        if not any(weights):
            break
        (place,) = random.choices(range(len(left)), weights)
        taken.append(left.pop(place))
    return taken


def _every(text: str, wildcards: Wildcards, depth: int) -> Iterator[str]:
    ways = [
        [piece] if isinstance(piece, str) else list(_ways(_choice(piece, wildcards, depth), wildcards, depth))
        for piece in _pieces(text)
    ]
    return ("".join(way) for way in product(*ways))


def _ways(choice: _Choice, wildcards: Wildcards, depth: int) -> Iterator[str]:
    for count in range(choice.low, choice.high + 1):
        for taken in permutations(choice.options, count):
            for texts in product(*(list(_every(one.text, wildcards, depth + 1)) for one in taken)):
                yield choice.between.join(texts)


def _choice(piece: "re.Match[str] | _Choice", wildcards: Wildcards, depth: int) -> _Choice:
    if isinstance(piece, _Choice):
        return piece
    if depth > _DEEPEST:
        raise BadValue(f"the wildcard {piece['name']!r} leads back to itself", mend=f"look into {wildcards.root}")
    return _Choice(tuple(_option(line) for line in wildcards.lines(piece["name"])))


def _pieces(text: str) -> "Iterator[str | re.Match[str] | _Choice]":
    """Plain text, wildcards and choices in their order; a brace without its other half is text."""
    start = place = 0
    while place < len(text):
        end, piece = _piece(text, place)
        if piece:
            yield text[start:place]
            yield piece
            start = end
        place = end
    yield text[start:]


def _piece(text: str, place: int) -> "tuple[int, re.Match[str] | _Choice | None]":
    """Where it ends, and the wildcard or choice that begins at a place, if one does."""
    if text[place] == "{" and (closing := _closing(text, place)):
        return closing + 1, _read(text[place + 1 : closing])
    if wildcard := WILDCARD.match(text, place):
        return wildcard.end(), wildcard
    return place + (2 if text[place] == "\\" else 1), None


def _closing(text: str, opened: int) -> int | None:
    depth = 0
    for place in range(opened, len(text)):
        depth += {"{": 1, "}": -1}.get(text[place], 0)
        if depth == 0:
            return place
    return None


def _read(within: str) -> _Choice:
    """What stands between braces."""
    head = _HEAD.match(within)
    options = tuple(map(_option, _split(within[head.end() :] if head else within)))
    if not head:
        return _Choice(options)
    most = len(options)
    low = int(head["low"] or (0 if head["range"] else 1))
    high = int(head["high"] or most) if head["range"] else low
    return _Choice(options, min(low, most), min(max(high, low), most), head["between"] or ", ")


def _option(text: str) -> _Option:
    weight = _WEIGHT.match(text)
    return _Option(text[weight.end() :], float(weight["weight"])) if weight else _Option(text)


def _split(text: str) -> Sequence[str]:
    """At the bars that stand in no further bracket: ``[a|b]`` alternates, and is one option."""
    parts, depth, start = [], 0, 0
    for place, letter in enumerate(text):
        if letter == "|" and depth == 0:
            parts.append(text[start:place])
            start = place + 1
        depth = max(0, depth + (letter in _OPENING) - (letter in _CLOSING))
    return [*parts, text[start:]]
