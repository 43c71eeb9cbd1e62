"""Tag files as completion extensions keep them: ``tag,type,count,"alias,alias"``, or ``tag,translation``."""

import csv
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from modelhub.errors import BadValue, MissingFile

__all__ = ["TagRow", "read_tags"]

_ALIASES = 3
"""Column of the other names, where there are that many."""


@dataclass(frozen=True, slots=True)
class TagRow:
    """One tag of such a file."""

    tag: str
    count: int
    """Pictures that are tagged so; 0 where the file does not say."""
    aliases: tuple[str, ...]


def read_tags(path: Path, *, wanted: Callable[[str], bool] = bool) -> list[TagRow]:
    """The tags of a file, or of those lines of it that are `wanted`: a line is split only then.

    Raises `MissingFile`, and `BadValue` for a file that is no text in UTF-8.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
        return list(_rows(csv.reader(line for line in lines if wanted(line))))
    except FileNotFoundError as error:
        raise MissingFile(f"there is no file {path}", mend="name a CSV file of tags") from error
    except UnicodeDecodeError as error:
        raise BadValue(f"{path} is no text in UTF-8", mend="save it as UTF-8") from error
    except csv.Error as error:
        raise BadValue(
            f"{path} is no table of tags: {error}", mend='write lines of tag,type,count,"aliases"'
        ) from error


def _rows(lines: Iterable[list[str]]) -> Iterable[TagRow]:
    for tag, *rest in filter(None, lines):
        if tag.strip():
            yield TagRow(tag.strip(), _count(rest), _aliases(rest))


def _count(columns: list[str]) -> int:
    return int(columns[1]) if len(columns) > 1 and columns[1].isdecimal() else 0


def _aliases(columns: list[str]) -> tuple[str, ...]:
    named = columns[_ALIASES - 1 :] or [column for column in columns if not column.isdecimal()]
    return tuple(name.strip() for column in named for name in column.split(",") if name.strip())
