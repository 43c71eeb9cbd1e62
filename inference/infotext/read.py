"""Reads what stable-diffusion-webui and its kin wrote into pictures, as webui itself reads it (pure)."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from inference.infotext.words import unquoted

__all__ = ["Infotext", "read_infotext"]

_FIELD = re.compile(r'\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)')
_FEWEST = 3
"""Fields that make the last line one of fields."""
_SIZE = re.compile(r"(\d+)x(\d+)")
_HASHES = re.compile(r",?\s*\bHashes: (\{[^{}]*\})")
_NEGATIVE = "Negative prompt:"


@dataclass(frozen=True, slots=True)
class Infotext:
    """What a picture says of how it was drawn."""

    prompt: str
    negative_prompt: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    """By webui's names; a size ``Size: 512x768`` stands as ``Size-1`` and ``Size-2``."""
    unread: tuple[str, ...] = ()
    """Sentences on what could not be understood."""


def read_infotext(text: str) -> Infotext:
    """The prompts, and the fields of the last line where it holds at least three; never fails.

    An empty value counts as none. ``Hashes: {...}``, which is not quoted, is taken out first: it stays JSON.
    """
    *lines, last = text.strip().split("\n")
    hashes = _HASHES.search(last)
    stripped = last[: hashes.start()] + last[hashes.end() :] if hashes else last
    if len(_FIELD.findall(stripped)) < _FEWEST:
        return Infotext(*_prompts([*lines, last]))
    fields = dict(_fields(stripped))
    return Infotext(*_prompts(lines), {**fields, "Hashes": hashes[1]} if hashes else fields)


def _prompts(lines: Sequence[str]) -> tuple[str, str]:
    """What stands before and behind the words ``Negative prompt:`` that begin a line, each line stripped."""
    stripped = [line.strip() for line in lines]
    begins = next((index for index, line in enumerate(stripped) if line.startswith(_NEGATIVE)), len(stripped))
    negative = [line.removeprefix(_NEGATIVE).strip() for line in stripped[begins:]]
    return _joined(stripped[:begins]), _joined(negative)


def _joined(lines: Sequence[str]) -> str:
    """Empty lines before the first full one vanish, as in webui."""
    return "\n".join(lines).lstrip("\n")


def _fields(line: str) -> Iterator[tuple[str, str]]:
    for key, value in _FIELD.findall(line):
        if size := _SIZE.fullmatch(value):
            yield from ((f"{key}-{index}", size[index]) for index in (1, 2))
        elif value:
            yield key, unquoted(value)
