"""An infotext as text again: how another tool's parameters are searched and shown (pure)."""

from collections.abc import Iterator

from inference.infotext.read import Infotext
from inference.infotext.words import quoted

__all__ = ["spelled"]


def spelled(told: Infotext) -> str:
    """What `read_infotext` reads as the same."""
    negative = f"\nNegative prompt: {told.negative_prompt}" if told.negative_prompt else ""
    fields = ", ".join(f"{key}: {quoted(value)}" for key, value in _fields(told))
    return f"{told.prompt}{negative}\n{fields}"


def _fields(told: Infotext) -> Iterator[tuple[str, str]]:
    """With both sides of a size in one field."""
    for key, value in told.fields.items():
        if key.endswith("-1") and f"{key[:-1]}2" in told.fields:
            yield key[:-2], f"{value}x{told.fields[f'{key[:-1]}2']}"
        elif not (key.endswith("-2") and f"{key[:-1]}1" in told.fields):
            yield key, value
