"""Spans of time as people type them: ``30d``, ``12h``, ``2w``."""

import re
from datetime import timedelta

from modelhub.errors import BadValue

__all__ = ["duration"]

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def duration(text: str) -> timedelta:
    """Raises `BadValue` for anything but a whole number with one of the units m, h, d, w."""
    found = re.fullmatch(r"(\d{1,6})([mhdw])", text.strip().lower())
    if not found:
        raise BadValue(f"{text!r} is no span of time", mend="write it like 30d, 12h or 2w")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})
