"""What a training is of: a recipe, a preset, or the header of what was trained before, and what is changed of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

import typer

from cli.flags.entries import Entry, change

__all__ = ["RecipeFlags"]


@dataclass(frozen=True, slots=True)
class RecipeFlags:
    """Flags win over --set, --set over the recipe, the recipe over the preset."""

    section: ClassVar = "Recipe"

    recipe: Annotated[Path | None, typer.Option(help="TOML recipe; flags win over it.", show_default=False)] = None
    preset: Annotated[
        str | None,
        typer.Option(help="What to begin with; `modelhub train presets` lists them.", show_default="by the base"),
    ] = None
    repeat: Annotated[
        Path | None, typer.Option("--from", metavar="FILE", help="Repeat the training that made this file.")
    ] = None
    base: Annotated[str | None, typer.Option(metavar="REF", help="Checkpoint to train on."), Entry("base")] = None
    vae: Annotated[str | None, typer.Option(metavar="REF", help="In place of the checkpoint's own."), Entry("vae")] = (
        None
    )
    name: Annotated[
        str | None,
        typer.Option(help="Name of the result.", show_default="the folder's, or the new word"),
        Entry("name"),
    ] = None
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="ENTRY=VALUE", help="Any entry of a recipe; `modelhub train entries` lists them."
        ),
    ] = None
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what it would take.")] = False

    def changed(self) -> Mapping[str, object]:
        """What --set says."""
        return dict(map(change, self.changes or ()))
