"""A picture that was drawn, and how to draw it again."""

from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from inference.request import GenerationRequest

__all__ = ["Picture"]


@dataclass(frozen=True, slots=True)
class Picture:
    """One image and how to draw it again."""

    image: Image.Image
    seed: int
    infotext: str
    request: GenerationRequest
    """Draws this image alone."""
    path: Path | None = None
    """Where it was saved."""
