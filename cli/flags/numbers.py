"""Numbers between commas: by name (``left=128,up=64``), or in a row (``512,768``)."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from modelhub.errors import BadValue

__all__ = ["named_numbers", "row"]

Number = TypeVar("Number", int, float)


def named_numbers(text: str, names: Mapping[str, str], flag: str) -> dict[str, float]:
    """The fields that `names` (what people type -> field) give the numbers to; raises `BadValue` naming the flag."""
    found = {}
    for pair in filter(None, text.replace(" ", "").split(",")):
        name, _, value = pair.partition("=")
        if name not in names:
            raise BadValue(f"{flag}: {name!r} is none of {', '.join(names)}", mend=_example(names, flag))
        try:
            found[names[name]] = float(value)
        except ValueError:
            raise BadValue(f"{flag}: {name} is {value!r}, which is no number", mend=_example(names, flag)) from None
    return found


def row(text: str, number: Callable[[str], Number], flag: str, *, what: str, example: str) -> list[Number]:
    """Raises `BadValue` naming the flag, and `what` it should have been, for what is no row of numbers."""
    try:
        return [number(one) for one in text.split(",")]
    except ValueError:
        raise BadValue(f"{flag}: {text!r} is no {what}", mend=f"{flag} {example}") from None


def _example(names: Mapping[str, str], flag: str) -> str:
    return f"write {flag} {next(iter(names))}=1"
