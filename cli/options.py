"""The options that every command takes, and those that many take: declared once."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer

from modelhub.kinds import Kind

__all__ = ["DECLARED", "Device", "DryRun", "OfFamily", "OfKinds", "Options", "SomeModels", "WithTag", "Yes"]

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


Device: TypeAlias = Annotated[str | None, typer.Option(help="auto, cpu or cuda.", show_default="auto")]
DryRun: TypeAlias = Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")]
Yes: TypeAlias = Annotated[bool, typer.Option("-y", "--yes", help="Do not ask.")]
SomeModels: TypeAlias = Annotated[
    list[str] | None, typer.Argument(metavar="[REF...]", help="Which models; all by default.")
]
OfKinds: TypeAlias = Annotated[
    list[Kind] | None, typer.Option(metavar="KIND", help="Of this kind, e.g. lora; may be repeated.")
]
OfFamily: TypeAlias = Annotated[str | None, typer.Option(help="Of this family, e.g. sd1.", show_default=False)]
WithTag: TypeAlias = Annotated[str | None, typer.Option(help="With this tag.", show_default=False)]
