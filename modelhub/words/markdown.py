"""Text by strangers inside a Markdown page: shown as it is, never obeyed (pure; CommonMark with GitHub's additions)."""

import json
import re

from modelhub.words.strangers import cleaned

__all__ = ["code", "fenced", "inline", "paragraphs", "quoted"]

_MAX = 10_000
"""Characters of one text."""
_MARKS = re.compile(r"([\\`*_{}\[\]<>()!|~&$^])")
_BEGINS = re.compile(r"^(\d*)([-+#=.)])")
_ADDRESSES = ("://", "www.", "@")


def inline(text: str) -> str:
    """One line within a sentence. Web addresses become code, so that nobody follows them unawares."""
    words = cleaned(text, _MAX).split()
    shown = " ".join(code(word) if _is_address(word) else _MARKS.sub(r"\\\1", word) for word in words)
    return _BEGINS.sub(r"\1\\\2", shown)


def paragraphs(text: str) -> str:
    """Several lines, each a paragraph of its own."""
    return "\n\n".join(shown for line in cleaned(text, _MAX).split("\n") if (shown := inline(line)))


def code(text: str) -> str:
    """A code span that ends where the text does, however many backticks stand in it."""
    line = " ".join(cleaned(text, _MAX).split())
    ticks = _longer_than_within(line, 1)
    return f"{ticks} {line} {ticks}" if "`" in line else f"`{line}`" if line else ""


def fenced(text: str, language: str = "") -> str:
    """A block of code, likewise."""
    lines = cleaned(text, _MAX)
    ticks = _longer_than_within(lines, 3)
    return f"{ticks}{language}\n{lines}\n{ticks}"


def quoted(text: str) -> str:
    """A YAML or Python string on one line."""
    return json.dumps(" ".join(cleaned(text, _MAX).split()), ensure_ascii=False)


def _is_address(word: str) -> bool:
    return any(mark in word for mark in _ADDRESSES)


def _longer_than_within(text: str, least: int) -> str:
    longest = max(map(len, re.findall("`+", text)), default=0)
    return "`" * max(least, longest + 1)
