"""Pictures that a command is told of by their files."""

from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelhub.catalog import Catalog, Image

__all__ = ["is_picture", "recorded"]

_ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".avif", ".gif")


def is_picture(path: Path) -> bool:
    """By its name."""
    return path.suffix.lower() in _ENDINGS


def recorded(catalog: "Catalog", path: Path) -> "Image | None":
    """What the gallery has of a file: of one that lies there, else of one of the same bytes."""
    if found := catalog.pictures.at(path):
        return found
    return catalog.pictures.with_sha256(sha256(path.read_bytes()).hexdigest()) if path.is_file() else None
