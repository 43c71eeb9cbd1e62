"""Pictures for models that look at them."""

from pathlib import Path

from PIL import Image

from trainers.dataset.pictures import UNREADABLE, open_image

__all__ = ["opened"]


def opened(path: Path) -> Image.Image | None:
    """A picture upright, in RGB, with white behind it; None for what is none."""
    try:
        return open_image(path)
    except UNREADABLE:
        return None
