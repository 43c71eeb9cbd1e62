"""How large, and how many."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import typer

from modelhub.errors import BadValue

__all__ = ["CanvasFlags", "sides"]


@dataclass(frozen=True, slots=True)
class CanvasFlags:
    """Size and number of the pictures."""

    section: ClassVar = "Size and number"

    size: Annotated[str | None, typer.Option(metavar="WxH", help="Pixels; the model's own size by default.")] = None
    batch: Annotated[int, typer.Option(help="Images drawn at a time.")] = 1
    tiling: Annotated[
        bool,
        typer.Option("--tiling", help="Draw a pattern: right and left edge continue each other, top and bottom too."),
    ] = False
    count: Annotated[int, typer.Option(help="Batches, one after the other; 0 until stopped.")] = 1

    def fields(self) -> Mapping[str, Any]:
        """Of a request."""
        size = dict(zip(("width", "height"), sides(self.size), strict=True)) if self.size else {}
        return {"batch": self.batch, "count": self.count or 1, "tiling": self.tiling, **size}

    @property
    def endless(self) -> bool:
        """Whether pictures are drawn until somebody stops it."""
        return self.count == 0


def sides(size: str, flag: str = "--size") -> tuple[int, int]:
    """Width and height in px; raises `BadValue` naming the flag."""
    width, _, height = size.lower().replace("×", "x").partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        raise BadValue(f"{size!r} is no size", mend=f"write {flag} 512x768")
    return int(width), int(height)
