"""Text by strangers: what came with a downloaded file, made harmless before it is stored or shown. Raises nothing."""

import json
import math
import re
from collections.abc import Iterable
from typing import Any

__all__ = ["cleaned", "distinct", "number_in", "parsed", "texts_in", "unmarked"]

_MAX_NUMBER = 2**63
_MAX_DIGITS = 40
_MAX_HTML = 50_000
"""Characters of HTML that are looked at."""
_UNSEEN = re.compile(r"(?is)<(script|style)\b[^<>]*>.*?(?:</\1\s*>|\Z)|<!--.*?(?:-->|\Z)")
_BLOCKS = "br|hr|p|div|li|ul|ol|h[1-6]|tr|table|blockquote|pre|section"
_INLINE = "a|b|i|u|s|em|strong|span|font|code|kbd|mark|small|big|sub|sup|del|img|iframe|video|source|td|th|tbody|thead"
_BREAK = re.compile(rf"(?i)</?(?:{_BLOCKS})(?=[\s/>])[^<>]*>")
_TAG = re.compile(rf"(?i)</?(?:{_INLINE})(?=[\s/>])[^<>]*>")
_GAP = re.compile(r"\n{3,}")
_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_SECRET = re.compile(r"(?i)\b(token|api_?key|access_token|signature|x-amz-[a-z-]+)=[^&\s\"'<>)]+")


def cleaned(text: object, limit: int) -> str:
    """`text` without control characters, half characters and secrets in web addresses, at most `limit` long.

    Empty for what is no text, and for trainers' ``None``.
    """
    if not isinstance(text, str) or text == "None":
        return ""
    head = _ESCAPE.sub("", text[: 2 * limit]).replace("\r\n", "\n").replace("\r", "\n")
    kept = "".join(one if one == "\n" else " " if one.isspace() else one if one.isprintable() else "" for one in head)
    return _SECRET.sub(r"\1=...", kept).strip()[:limit].rstrip()


def parsed(text: object, limit: int) -> Any:
    """The JSON in `text`; None for what is none, or is longer than `limit` characters or too deep."""
    if not isinstance(text, str) or len(text) > limit:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def number_in(value: object) -> float | None:
    """The number that `value` is or spells; None for anything else, and for what no database holds."""
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float | str)
        or (isinstance(value, str) and len(value) > 40)
    ):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and abs(number) < _MAX_NUMBER else None


def texts_in(value: object, *, limit: int, count: int) -> tuple[str, ...]:
    """The texts of a list, cleaned, at most `count`; a single text is a list of one."""
    each = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    return distinct(cleaned(one, limit) for one in each[:count])


def distinct(words: Iterable[str]) -> tuple[str, ...]:
    """Each of `words` once, whatever its case; the empty ones and commas at their ends go."""
    found: dict[str, str] = {}
    for word in words:
        if bare := word.strip(" ,\n"):
            found.setdefault(bare.casefold(), bare)
    return tuple(found.values())


def unmarked(html: str) -> str:
    """The words of HTML as plain text: a line for each block, none of its tags, scripts and styles.

    Only tags of HTML go: a prompt's ``<lora:kip:0.8>`` is no markup.
    """
    if "<" not in html and "&" not in html:
        return html
    from html import unescape  # seldom needed

    html = _UNSEEN.sub("", html[:_MAX_HTML])
    lines = unescape(_TAG.sub("", _BREAK.sub("\n", html))).splitlines()
    return _GAP.sub("\n\n", "\n".join(" ".join(line.split()) for line in lines)).strip()
