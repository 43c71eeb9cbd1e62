"""Where pictures are drawn, and whether they are."""

from dataclasses import dataclass
from typing import Annotated

import typer

from cli.options import Device

__all__ = ["DrawingFlags"]


@dataclass(frozen=True, slots=True)
class DrawingFlags:
    """What changes no picture."""

    device: Device = None
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be drawn, with which models, in how much memory.")
    ] = False
    require: Annotated[
        str | None, typer.Option(metavar="USE", help="Fail unless the licences of all models allow it: commercial.")
    ] = None
