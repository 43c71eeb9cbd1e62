"""What `modelhub train entries` shows."""

import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from cli.session import Session
from modelhub.errors import BadValue
from trainers.spelling import command_of, method_of

if TYPE_CHECKING:
    from trainers.recipe.entries import Entry

__all__ = ["show_entries"]


def show_entries(session: Session, method: str, words: Sequence[str]) -> None:
    """The entries of a method's recipe whose names hold all the words."""
    from trainers.recipe.entries import entries
    from trainers.recipe.methods import METHODS

    key = method_of(method)
    if key not in METHODS:
        known = ", ".join(map(command_of, METHODS))
        raise BadValue(f"there is no method {method!r}: there are {known}", mend="modelhub train entries --method lora")
    found = [one for one in entries(key) if all(word in one.name for word in words)]
    if not found:
        raise BadValue(f"no entry's name holds {' and '.join(words)}", mend="modelhub train entries")
    session.output.show(found, text=lambda: "\n".join(_told(found)), ids=[one.name for one in found])


def _told(entries: Sequence["Entry"]) -> Iterator[str]:
    for one in entries:
        yield f"{one.name}  (unset)" if one.default is None else f"{one.name} = {_toml(one.default)}"
        choices = f" One of {', '.join(one.choices)}." if one.choices else ""
        yield textwrap.fill(one.meaning + choices, 100, initial_indent="    ", subsequent_indent="    ")


def _toml(value: object) -> str:
    import tomlkit

    return tomlkit.item(value).as_string() or "{}"
