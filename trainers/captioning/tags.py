"""Captions as tags (pure)."""

import re
from collections.abc import Iterable

__all__ = ["added", "alike", "joined", "spaced", "split"]

_WORD = re.compile(r"[^\W\d_]{2}")
"""Two letters in a row: tags that are words have them, kaomoji such as ``o_o``, ``(o)_(o)`` and ``>_<`` have not."""


def split(text: str) -> list[str]:
    return [tag for one in text.split(",") if (tag := one.strip())]


def joined(tags: Iterable[str]) -> str:
    return ", ".join(tags)


def alike(tag: str) -> str:
    """Equal for tags that differ only in case and underscores."""
    return tag.strip().casefold().replace("_", " ")


def spaced(tag: str) -> str:
    """Spaces for underscores; kaomoji keep them."""
    return tag.replace("_", " ") if _WORD.search(tag) else tag


def added(text: str, more: str) -> str:
    """A caption with the tags of another one that it lacks behind it; its own stay as they are."""
    held = set(map(alike, split(text)))
    new = [tag for tag in split(more) if alike(tag) not in held]
    return joined([*filter(None, [text.strip(" ,")]), *new]) if new else text
