"""One entry of a header, one value: checked, cleaned and capped; None or empty for what does not fit."""

import re
from datetime import UTC, datetime

from modelhub.words.strangers import cleaned, distinct, number_in, parsed

__all__ = ["MAX_JSON", "MAX_NAME", "MAX_ROWS", "MAX_TEXT", "arguments", "count", "digest", "dotted_names", "file_name"]
__all__ += ["keywords", "moment", "name", "size", "text"]

MAX_JSON = 16_000_000
MAX_NAME = 200
MAX_TEXT = 10_000
"""Characters."""
MAX_ROWS = 500
"""Folders, buckets, network arguments."""
_OF_NOTHING = "e3b0c442"


def name(value: object) -> str:
    return " ".join(cleaned(value, MAX_NAME).split())


def text(value: object) -> str:
    return cleaned(value, MAX_TEXT)


def file_name(value: object) -> str:
    """Of a path only its last part: the folders of the one who trained are nobody's business."""
    path = cleaned(value, 2 * MAX_NAME).replace("\\", "/")
    return (path.rpartition("/")[2] if path.startswith("/") or path[1:3] == ":/" else path)[:MAX_NAME]


def count(value: object) -> int | None:
    number = number_in(value)
    if number is None or number < 0:
        return None
    return int(str(value)) if str(value).isdecimal() else int(number)


def digest(value: object) -> str:
    """A digest or the beginning of one; that of nothing, which tools write for files that they cannot read, is none."""
    hexadecimal = name(value).lower().removeprefix("0x")
    proper = re.fullmatch(r"[0-9a-f]{8,64}", hexadecimal) and not hexadecimal.startswith(_OF_NOTHING)
    return hexadecimal if proper else ""


def size(value: object) -> tuple[int, int] | None:
    """``(512, 768)``, ``512,768``, ``512x768`` or ``512``."""
    sides = [int(side) for side in re.findall(r"\d{1,5}", name(value))]
    return (sides[0], sides[-1]) if 1 <= len(sides) <= 2 else None


def moment(value: object) -> datetime | None:
    seconds = number_in(value)
    try:
        return datetime.fromtimestamp(seconds, UTC) if seconds else None
    except (ValueError, OverflowError, OSError):
        return None


def arguments(value: object) -> dict[str, str]:
    held = parsed(value, MAX_JSON)
    pairs = list(held.items())[:MAX_ROWS] if isinstance(held, dict) else []
    return {name(key): name(str(one)) for key, one in pairs if isinstance(one, str | int | float)}


def keywords(value: object) -> tuple[str, ...]:
    return distinct(text(value).split(","))[:MAX_ROWS]


def dotted_names(value: object) -> tuple[str, ...]:
    return distinct(text(value).split())[:MAX_ROWS]
