"""As which files pictures are written."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

if TYPE_CHECKING:
    from inference.images.formats import Format

__all__ = ["FileFlags"]


@dataclass(frozen=True, slots=True)
class FileFlags:
    """Where to, and in which format; each carries its parameters."""

    section: ClassVar = "Files"

    out: Annotated[Path | None, typer.Option(help="Folder for the pictures.", show_default="outputs/DATE")] = None
    format_: Annotated[str, typer.Option("--format", metavar="png|jpeg|webp|avif", help="PNG loses nothing.")] = "png"
    quality: Annotated[int, typer.Option(min=1, max=100, help="Of formats that lose something.")] = 80

    def form(self) -> "Format":
        """Raises `BadValue` for what is no format."""
        from inference.images.formats import format_named

        return format_named(self.format_, self.quality)
