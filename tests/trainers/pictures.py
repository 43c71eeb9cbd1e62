"""Small pictures to train on, drawn by rule."""

from pathlib import Path

import numpy as np
from PIL import Image

__all__ = ["Size", "picture", "write_picture", "write_set"]

Size = tuple[int, int]


def picture(size: Size, shade: int = 0) -> Image.Image:
    """Ramps to the right and downwards, so that no cut, turn or mirror image of it is itself; `shade` is its blue."""
    across = np.linspace(0, 255, size[0])[None].repeat(size[1], 0)
    down = np.linspace(0, 255, size[1])[:, None].repeat(size[0], 1)
    return Image.fromarray(np.stack([across, down, np.full_like(down, shade)], -1).astype(np.uint8))


def write_picture(path: Path, size: Size = (64, 64), *, shade: int = 0, caption: str | None = "a ramp") -> Path:
    """A picture and, unless it is None, its caption beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture(size, shade).save(path)
    if caption is not None:
        path.with_suffix(".txt").write_text(caption, encoding="utf-8")
    return path


def write_set(folder: Path, *sizes: Size) -> Path:
    """A folder of captioned pictures of those sizes; three square ones if none are given."""
    for index, size in enumerate(sizes or ((64, 64),) * 3):
        write_picture(folder / f"{index}.png", size, shade=80 * index, caption=f"ramp {index}, blue")
    return folder
