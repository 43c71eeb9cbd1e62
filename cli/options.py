"""The options that every command takes, declared once."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

__all__ = ["DECLARED", "Options"]

DECLARED: Mapping[str, Any] = {
    "home": Annotated[Path | None, typer.Option("--home", help="Workspace to use.", show_default=False)],
    "json": Annotated[bool, typer.Option("--json", help="Print one JSON document.")],
    "jsonl": Annotated[bool, typer.Option("--jsonl", help="Print events and the result as JSON, one a line.")],
    "quiet": Annotated[bool, typer.Option("-q", "--quiet", help="Print IDs (or paths) only.")],
    "verbose": Annotated[
        int, typer.Option("-v", "--verbose", count=True, show_default=False, help="Say more; -vv shows tracebacks.")
    ],
    "no_color": Annotated[bool, typer.Option("--no-color", help="Print plain text.")],
}
"""As Typer reads them; the names are the fields of `Options`."""


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for, in whichever place."""

    home: Path | None = None
    json: bool = False
    jsonl: bool = False
    quiet: bool = False
    verbose: int = 0
    no_color: bool = False

    def over(self, outer: "Options") -> "Options":
        """These options, and where they are silent those given before the command's name."""
        theirs = asdict(outer)
        return Options(**{name: value or theirs[name] for name, value in asdict(self).items()})
