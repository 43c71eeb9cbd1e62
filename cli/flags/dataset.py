"""Which pictures are looked at, and as what training would have them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

import typer

from cli.flags.entries import Entry, change, entries_of, nested
from cli.flags.training.pictures import sides

__all__ = ["DatasetFlags"]


@dataclass(frozen=True, slots=True)
class DatasetFlags:
    """Flags win over --set, --set over the recipe; those of a training have the same names there."""

    section: ClassVar = "Dataset"

    recipe: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Take dataset, trigger and sizes from this recipe; flags win over it."),
    ] = None
    base: Annotated[
        str | None, typer.Option(metavar="REF", help="The checkpoint to train on: its resolution counts.")
    ] = None
    resolution: Annotated[
        str | None,
        typer.Option(metavar="PX[,PX]", help="Pixels of a side; several.", show_default="the base's, or 512"),
        Entry("dataset.resolution", sides),
    ] = None
    trigger: Annotated[
        str | None, typer.Option(help="The word that shall call for what is learned."), Entry("trigger")
    ] = None
    flip: Annotated[
        bool | None,
        typer.Option("--flip", help="They will be mirrored.", show_default=False),
        Entry("dataset.augment.flip"),
    ] = None
    upscale: Annotated[
        bool | None,
        typer.Option("--upscale/--no-upscale", help="Enlarge what is too small.", show_default=False),
        Entry("dataset.upscale"),
    ] = None
    masks: Annotated[
        Path | None, typer.Option(metavar="DIR", help="White is learned, black is not."), Entry("dataset.masks")
    ] = None
    alpha_mask: Annotated[
        bool | None,
        typer.Option("--alpha-mask", help="Learn what is opaque.", show_default=False),
        Entry("dataset.alpha_mask"),
    ] = None
    regularisation: Annotated[
        Path | None,
        typer.Option("--reg", metavar="DIR", help="Pictures of the class."),
        Entry("dataset.regularisation"),
    ] = None
    caption_ending: Annotated[
        list[str] | None,
        typer.Option(metavar=".EXT", help="Of caption files.", show_default=".txt, .caption"),
        Entry("dataset.captions.extensions"),
    ] = None
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="ENTRY=VALUE", help="Any entry of a recipe: dataset.captions.tokens=150."),
    ] = None

    def entries(self, cwd: Path) -> Mapping[str, Any]:
        """Tables of a recipe; paths are from `cwd`."""
        flags = entries_of(self).items()
        placed = [(name, cwd / one.expanduser() if isinstance(one, Path) else one) for name, one in flags]
        return nested([*map(change, self.changes or ()), *placed])
