"""Entries of a recipe that flags give, and the tables that they come to."""

import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, get_type_hints

from modelhub.errors import BadValue

__all__ = ["Entry", "change", "entries_of", "nested", "over"]


@dataclass(frozen=True, slots=True)
class Entry:
    """Stands in the annotation of a group's field whose flag gives an entry of a recipe."""

    name: str
    """Dotted."""
    read: Callable[[str], object] | None = None
    """Makes the entry's value of what is typed, where they differ."""


def entries_of(group: object) -> Mapping[str, object]:
    """Entry, dotted -> what its flag gives; None where it is silent, as one that may be repeated is with no values."""
    return {entry.name: _given(getattr(group, field), entry) for field, entry in _declared(type(group)).items()}


def change(text: str) -> tuple[str, object]:
    """The entry that --set changes, dotted, and its value: TOML, or text where it is none."""
    entry, equals, value = text.partition("=")
    if not equals or not all(entry.split(".")):
        raise BadValue(f"--set: {text!r} sets nothing", mend="--set loss.kind=huber")
    try:
        return entry.strip(), tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return entry.strip(), value


def nested(entries: Iterable[tuple[str, object]]) -> dict[str, Any]:
    """Tables of dotted entries; those of None are left out."""
    found: dict[str, Any] = {}
    for dotted, value in entries:
        *above, last = dotted.split(".")
        table = found
        for name in above if value is not None else ():
            table = table.setdefault(name, {})
        if value is not None:
            table[last] = value
    return found


def over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Tables of entries as one; None above leaves what is below."""
    merged = dict(below)
    for key, value in above.items():
        if isinstance(value, dict) and isinstance(merged.get(key, {}), dict):
            merged[key] = over(merged.get(key, {}), value)
        elif value is not None:
            merged[key] = value
    return merged


def _declared(group: Any) -> dict[str, Entry]:
    """Field -> its entry, of the fields that have one."""
    hints = get_type_hints(group, include_extras=True)
    told = {field.name: getattr(hints[field.name], "__metadata__", ()) for field in fields(group)}
    return {name: one for name, metadata in told.items() for one in metadata if isinstance(one, Entry)}


def _given(value: Any, entry: Entry) -> object:
    if value is None or value == []:
        return None
    return entry.read(value) if entry.read else value
