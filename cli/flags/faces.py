"""Whether faces are drawn again."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import typer

__all__ = ["FaceFlags"]


@dataclass(frozen=True, slots=True)
class FaceFlags:
    """webui's Restore faces."""

    section: ClassVar = "Faces"

    faces: Annotated[
        str | None,
        typer.Option(metavar="REF", help="Draw faces again with a face restorer, e.g. GFPGAN; any takes the only one."),
    ] = None
    faces_visibility: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="How much of the new faces covers the old ones.")
    ] = 1.0

    def fields(self) -> Mapping[str, Any]:
        """Of a request."""
        return {"faces": {"model": self.faces, "visibility": self.faces_visibility} if self.faces else None}
