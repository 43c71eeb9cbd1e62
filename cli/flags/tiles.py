"""A picture enlarged and drawn over in tiles."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import typer

from modelhub.errors import BadValue

__all__ = ["TileFlags"]


@dataclass(frozen=True, slots=True)
class TileFlags:
    """webui's SD upscale; --size is that of a tile."""

    section: ClassVar = "In tiles (SD upscale)"

    sd_upscale: Annotated[
        float | None, typer.Option(metavar="SCALE", help="Enlarge --init and draw over it in tiles, e.g. 2.")
    ] = None
    tile_overlap: Annotated[int, typer.Option(help="Pixels that neighbouring tiles have in common.")] = 64
    upscaler: Annotated[str, typer.Option(help="What enlarges it: Lanczos, Nearest, or an upscaler's REF.")] = "Lanczos"

    def fields(self) -> Mapping[str, Any]:
        """Of a request; raises `BadValue` for what is said of no tiles."""
        if self.sd_upscale is None:
            if self != TileFlags():
                raise BadValue("there are no tiles to say this of", mend="modelhub generate ... --sd-upscale 2")
            return {"tiles": None}
        return {"tiles": {"scale": self.sd_upscale, "overlap": self.tile_overlap, "upscaler": self.upscaler}}
