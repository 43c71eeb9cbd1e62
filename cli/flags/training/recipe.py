"""What a training is of: a recipe, a preset, or the header of what was trained before, and what is changed of it."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

import typer

from modelhub.errors import BadValue

__all__ = ["RecipeFlags", "change", "nested"]


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
    base: Annotated[str | None, typer.Option(metavar="REF", help="Checkpoint to train on.")] = None
    vae: Annotated[str | None, typer.Option(metavar="REF", help="In place of the checkpoint's own.")] = None
    name: Annotated[
        str | None, typer.Option(help="Name of the result.", show_default="the folder's, or the new word")
    ] = None
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="ENTRY=VALUE", help="Any entry of a recipe; `modelhub train entries` lists them."
        ),
    ] = None
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what it would take.")] = False

    def entries(self) -> Mapping[str, object]:
        return {"base": self.base, "vae": self.vae, "name": self.name}

    def changed(self) -> Mapping[str, object]:
        """What --set says; values are TOML, and what is none is text."""
        return dict(map(change, self.changes or ()))


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


def change(text: str) -> tuple[str, object]:
    """An entry, dotted, and its value."""
    entry, equals, value = text.partition("=")
    if not equals or not all(entry.split(".")):
        raise BadValue(f"--set: {text!r} sets nothing", mend="--set loss.kind=huber")
    try:
        return entry.strip(), tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return entry.strip(), value
