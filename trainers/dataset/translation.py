"""Another trainer's entries -> ours, by a table of words; nothing of it is dropped unsaid (pure)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from math import sqrt
from pathlib import Path
from reprlib import Repr
from typing import Any, TypeVar

from pydantic import ValidationError

from modelhub.errors import BadValue
from trainers.dataset.files import holds_any
from trainers.recipe.section import Section

__all__ = [
    "CORRECTED",
    "SLASHES",
    "Vocabulary",
    "checked",
    "located",
    "notices",
    "shown",
    "sides",
    "table",
    "tables",
    "translated",
]

S = TypeVar("S", bound=Section)

SLASHES = "write paths with /, or in single quotes: 'C:\\pictures'"
CORRECTED = "correct it in that file"
_SHORT = Repr()
_SHORT.maxlevel, _SHORT.maxstring, _SHORT.maxother = 2, 60, 60


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What one trainer's entries are called here."""

    places: Mapping[str, str]
    """Their name -> ours, with a dot before the entry of a table."""
    instead: Mapping[str, str] = field(default_factory=dict)
    """Entries without a place -> what to do instead."""
    neutral: Mapping[str, Any] = field(default_factory=dict)
    """Values at which such an entry changes nothing; false, empty and 0 never do."""
    known: frozenset[str] = frozenset()
    """Read in a way of their own, or of no effect on what is learned."""


def translated(values: Mapping[str, Any], words: Vocabulary) -> dict[str, Any]:
    """Entries that have a place here, in their tables."""
    found: dict[str, Any] = {}
    for name, place in words.places.items():
        if values.get(name) is not None:
            *above, last = place.split(".")
            within = found
            for one in above:
                within = within.setdefault(one, {})
            within[last] = values[name]
    return found


def notices(values: Mapping[str, Any], words: Vocabulary, where: str) -> list[str]:
    """A sentence for every entry that has no place here and would change something."""
    return [
        f"{where}: {name} = {shown(value)} is left out: {words.instead.get(name) or _guessed(name, words)}"
        for name, value in values.items()
        if name not in words.places and name not in words.known and value and value != words.neutral.get(name)
    ]


def _guessed(name: str, words: Vocabulary) -> str:
    close = get_close_matches(name, [*words.places, *words.known], n=1)
    return f"it means nothing here; is it meant for {close[0]}?" if close else "it means nothing here"


def checked(kind: type[S], entries: Mapping[str, Any], words: Vocabulary, where: str) -> S:
    """Our options of translated entries; `BadValue` names what is wrong by the other trainer's word."""
    try:
        return kind.model_validate(entries)
    except ValidationError as error:
        first = error.errors()[0]
        names = {place: name for name, place in words.places.items()}
        at = [str(part) for part in first["loc"] if isinstance(part, str)]
        name = next((names[".".join(at[:end])] for end in range(len(at), 0, -1) if ".".join(at[:end]) in names), "")
        mend = f"modelhub train entries {words.places[name].rpartition('.')[2]}" if name else CORRECTED
        raise BadValue(": ".join(filter(None, (where, name, first["msg"]))), mend=mend) from None


def table(value: Any, where: str) -> dict[str, Any]:
    """An object of a file; raises `BadValue` for anything else."""
    if not isinstance(value, dict):
        raise BadValue(f"{where}: it must be a table of entries, and is {shown(value)}", mend=CORRECTED)
    return value


def tables(value: Any, where: str) -> list[tuple[str, dict[str, Any]]]:
    """A list of objects, and where each stands."""
    if not isinstance(value, list) or not value:
        raise BadValue(f"{where}: it must be a list of tables, with one at least", mend=CORRECTED)
    return [(f"{where}[{index}]", table(one, f"{where}[{index}]")) for index, one in enumerate(value)]


def located(value: Any, file: Path, where: str) -> Path:
    """A path that a file names, from where the file lies, else from where the command is run."""
    if not isinstance(value, str) or not value:
        raise BadValue(f"{where}: it must be a path, and is {shown(value)}", mend=CORRECTED)
    if not value.isprintable():
        raise BadValue(f"{where}: {value!r} is no path: TOML reads its backslashes as signs", mend=SLASHES)
    path = _expanded(value, where)
    beside = file.absolute().parent / path
    return path.absolute() if holds_any(path) and not holds_any(beside) else beside


def _expanded(value: str, where: str) -> Path:
    try:
        return Path(value).expanduser()
    except RuntimeError:
        raise BadValue(f"{where}: {value!r} begins with the folder of a user who is not here", mend=CORRECTED) from None


def shown(value: Any) -> str:
    """A value of a file in a message: its beginning, however much of it there is."""
    return _SHORT.repr(value)


def sides(value: Any, where: str) -> int | tuple[int, ...]:
    """Resolutions, as 512, "512", "512x768", "512,768", [512, 768]; each pair W x H as the square of its area."""
    listed = value if isinstance(value, list | tuple) else str(value).split(",")
    try:
        found = sorted({_side(str(one)) for one in listed})
    except (ValueError, OverflowError):
        raise BadValue(f"{where}: {shown(value)} is no resolution", mend="write pixels, such as 512") from None
    return found[0] if len(found) == 1 else tuple(found)


def _side(value: str) -> int:
    numbers = [float(one) for one in value.lower().split("x")]
    area = numbers[0] * numbers[-1]
    return max(8, round(sqrt(area) / 8) * 8)
