"""Numbers that are given by name: ``left=128,up=64``."""

from collections.abc import Mapping

from modelhub.errors import BadValue

__all__ = ["numbers"]


def numbers(text: str, names: Mapping[str, str], flag: str) -> dict[str, float]:
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


def _example(names: Mapping[str, str], flag: str) -> str:
    return f"write {flag} {next(iter(names))}=1"
