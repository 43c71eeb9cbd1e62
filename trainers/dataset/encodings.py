"""Bytes that are not UTF-8 -> the encoding that they seem to be in, as iconv names it (pure)."""

import codecs
from collections.abc import Callable, Sequence
from itertools import pairwise

__all__ = ["foreign_encoding"]

_FEW = 4
"""So many bytes of UTF-8 to a zero that strayed in; in UTF-16 every other byte of what is UTF-8 too is a zero."""


def foreign_encoding(content: bytes) -> str | None:
    """None for UTF-8, also with a few zeros in it; of those that could be, the one in which most letters are usual."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "UTF-16"
    is_utf8, zeros = _decoded(content, "utf-8") is not None, content.count(0)
    if zeros and not (is_utf8 and zeros * _FEW < len(content)):  # a Latin letter is one byte and a zero in UTF-16
        return "UTF-16LE" if b"\0" in content[1::2] else "UTF-16BE"
    if is_utf8:
        return None
    texts = {name: text for name in _SHARES if (text := _decoded(content, name)) is not None}
    return max(texts, key=lambda name: _SHARES[name](texts[name]), default="WINDOWS-1252")


def _decoded(content: bytes, encoding: str) -> str | None:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        return None


def _led_by(encoding: str, *leads: range) -> Callable[[str], float]:
    """The share of letters whose first byte says that they are of the language's usual ones."""

    def share(text: str) -> float:
        found = [letter.encode(encoding, "replace")[0] for letter in text if not letter.isascii()]
        return _mean([any(one in lead for lead in leads) for one in found])

    return share


def _in_words(text: str) -> float:
    """The share of letters beside which stands another one of the same sort: whole words are in them."""
    beside = [one.isalpha() and not one.isascii() for one in f" {text} "]
    sides = zip(beside, beside[2:], strict=False)
    return _mean([left or right for own, (left, right) in zip(beside[1:], sides, strict=False) if own])


def _among_others(text: str) -> float:
    """The share of letters with an accent that stand alone among plain ones."""
    return 1 - _mean([not left.isascii() for left, right in pairwise(text) if not right.isascii()])


def _mean(values: Sequence[bool]) -> float:
    return sum(values) / len(values) if values else 0.0


_SHARES: dict[str, Callable[[str], float]] = {
    "GB18030": _led_by("gb2312", range(0xA1, 0xD8)),
    "BIG5": _led_by("big5", range(0xA1, 0xC7)),
    "SHIFT_JIS": _led_by("shift_jis", range(0x81, 0x84), range(0x88, 0x98)),
    "EUC-KR": _led_by("euc-kr", range(0xA1, 0xA4), range(0xB0, 0xC9)),
    "WINDOWS-1251": _in_words,
    "WINDOWS-1252": _among_others,
}
"""What says how well a text fits; of equals the first."""
