"""How results look: tables and lines for people, JSON for programs. Results go to stdout, all else to stderr."""

import json
import os
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from io import TextIOWrapper
from pathlib import Path
from typing import Any, TextIO

from cli.options import Options
from modelhub.errors import ModelHubError

__all__ = ["Output", "error_json", "jsonable", "plain", "section", "shortened", "size_text", "table"]


@dataclass(frozen=True, slots=True)
class Output:
    """Where and how a command speaks."""

    out: TextIO
    err: TextIO
    json: bool = False
    jsonl: bool = False
    quiet: bool = False
    color: bool = False

    @classmethod
    def of(cls, options: Options, environ: Mapping[str, str]) -> "Output":
        """The process's own streams, as the options and ``NO_COLOR`` ask."""
        color = sys.stderr.isatty() and not options.no_color and not environ.get("NO_COLOR")
        return cls(sys.stdout, sys.stderr, options.json, options.jsonl, options.quiet, color)

    @property
    def is_live(self) -> bool:
        """Whether somebody watches, so that bars may move."""
        return self.err.isatty() and not self.quiet

    def show(self, result: object, *, text: Callable[[], str], ids: Iterable[object] = ()) -> None:
        """Print a command's result: as JSON, as IDs only, or as the text made for people."""
        if self.jsonl:
            self.event("done", result=result)
        elif self.json:
            print(_json(jsonable(result), indent=2), file=self.out)
        elif self.quiet:
            self._name(ids)
        else:
            print(text(), file=self.out)

    def _name(self, ids: Iterable[object]) -> None:
        """One a line; paths in their own bytes, whatever encoding they are in, so that other programs find them."""
        if isinstance(self.out, TextIOWrapper):
            self.out.reconfigure(errors="surrogateescape")
        print("".join(f"{one}\n" for one in ids), end="", file=self.out)

    def event(self, name: str, **content: object) -> None:
        """Print one line of the event stream."""
        line = {"event": name, **{key: jsonable(value) for key, value in content.items()}}
        print(_json(line), file=self.out, flush=True)

    def hint(self, message: str) -> None:
        """Say something beside the result, unless asked to be quiet."""
        if not self.quiet:
            print(plain(message), file=self.err)

    def error(self, error: ModelHubError) -> None:
        """Show what went wrong and what mends it."""
        if self.jsonl:
            self.event("error", **error_json(error))
        elif self.json:
            print(_json(error_json(error)), file=self.out)
        else:
            print(f"modelhub: {plain(error.message)}", file=self.err)
            if error.mend:
                print(f"  try: {plain(error.mend)}", file=self.err)


def error_json(error: ModelHubError) -> dict[str, object]:
    return {"code": error.code, "message": error.message, "mend": error.mend, "retryable": error.retryable}


def table(headers: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Columns as wide as their widest cell; counts of terminal cells, so Chinese names line up too."""
    cells = [[plain(str(cell)) for cell in row] for row in (headers, *rows)]
    widths = [max(map(_cells, column)) for column in zip(*cells, strict=True)]
    return "\n".join(_line(row, widths) for row in cells)


def plain(text: str) -> str:
    """Text by strangers, with nothing in it that a terminal would obey."""
    return "".join(char if char == "\n" or char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def shortened(text: str, most: int) -> str:
    """On one line, of at most so many characters."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def section(title: str, lines: Sequence[str]) -> Iterator[str]:
    """A heading and what stands below it; nothing, where that is nothing."""
    if lines:
        yield f"\n{title}"
        yield from (f"  {plain(line)}" for text in lines for line in text.splitlines())


def size_text(size: float) -> str:
    """Bytes for people: ``1.9 GB``."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def jsonable(value: Any) -> Any:
    """A noun as JSON holds it: fields as a map, paths and times as text."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: jsonable(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): jsonable(each) for key, each in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [jsonable(each) for each in value]
    if isinstance(value, datetime):
        return value.isoformat()
    return os.fsencode(value).decode(errors="replace") if isinstance(value, Path) else value


def _json(document: object, indent: int | None = None) -> str:
    """With a mark in place of what in a name is not UTF-8."""
    return json.dumps(document, ensure_ascii=False, indent=indent).encode(errors="replace").decode()


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    padded = (cell + " " * (width - _cells(cell)) for cell, width in zip(row, widths, strict=True))
    return "  ".join(padded).rstrip()


def _cells(text: str) -> int:
    return sum(1 + (unicodedata.east_asian_width(char) in "WF") for char in text)
