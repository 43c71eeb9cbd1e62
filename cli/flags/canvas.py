"""How large, and how many."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from modelhub.errors import BadValue

__all__ = ["CanvasFlags", "sides"]


@dataclass(frozen=True, slots=True)
class CanvasFlags:
    """Size and number of the pictures."""

    size: Annotated[str | None, typer.Option(metavar="WxH", help="Pixels; the model's own size by default.")] = None
    batch: Annotated[int, typer.Option(help="Images drawn at a time.")] = 1
    count: Annotated[int, typer.Option(help="Batches, one after the other.")] = 1

    def fields(self) -> Mapping[str, Any]:
        """Of a request."""
        size = dict(zip(("width", "height"), sides(self.size), strict=True)) if self.size else {}
        return {"batch": self.batch, "count": self.count, **size}


def sides(size: str) -> tuple[int, int]:
    """Width and height in px; raises `BadValue`."""
    width, _, height = size.lower().replace("×", "x").partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        raise BadValue(f"{size!r} is no size", mend="write --size 512x768")
    return int(width), int(height)
