"""A large picture through a small window: tiles that overlap, and are laid over one another softly.

The grid is stable-diffusion-webui's: as few tiles as cover a side, evenly spaced; the first `overlap` px of each fade
it in over the one before.
"""

from collections.abc import Callable, Generator
from math import ceil

import numpy as np
from PIL import Image

from modelhub.jobs import Progress

__all__ = ["starts", "through_tiles"]


def starts(length: int, tile: int, overlap: int) -> list[int]:
    """Where the tiles of a side begin, in px."""
    if length <= tile:
        return [0]
    count = ceil((length - overlap) / (tile - overlap))
    return [min(int(index * (length - tile) / (count - 1)), length - tile) for index in range(count)]


def through_tiles(
    image: Image.Image, grow: Callable[[Image.Image], Image.Image], *, tile: int, overlap: int, task: str
) -> Generator[Progress, None, Image.Image]:
    """The picture that `grow` makes of an RGB one, tile by tile: beside the result one row of tiles is held."""
    across, down = (starts(length, tile, overlap) for length in image.size)
    whole: Image.Image | None = None
    done = 0
    for top in down:
        row: Image.Image | None = None
        for left in across:
            window = (left, top, min(left + tile, image.width), min(top + tile, image.height))
            piece = grow(image.crop(window))
            scale = piece.width // (window[2] - window[0])
            row = row or Image.new("RGB", (image.width * scale, piece.height))
            _lay(row, piece, (left * scale, 0), overlap * scale)
            done += 1
            yield Progress(task, done, len(across) * len(down), "tiles")
        assert row is not None  # a side has one tile at least
        whole = whole or Image.new("RGB", (row.width, image.height * scale))
        _lay(whole, row, (0, top * scale), overlap * scale)
    assert whole is not None
    return whole


def _lay(under: Image.Image, over: Image.Image, at: tuple[int, int], overlap: int) -> None:
    """Paste `over`; its left or upper edge, where that is not the picture's own, fades in."""
    left, top = at
    fades = (min(overlap, over.width) if left else 0, min(overlap, over.height) if top else 0)
    if left:
        edge = over.crop((0, 0, fades[0], over.height))
        under.paste(edge, at, _ramp(fades[0]).resize(edge.size, Image.Resampling.NEAREST))
    if top:
        edge = over.crop((0, 0, over.width, fades[1]))
        under.paste(edge, at, _ramp(fades[1]).rotate(-90, expand=True).resize(edge.size, Image.Resampling.NEAREST))
    under.paste(over.crop((*fades, *over.size)), (left + fades[0], top + fades[1]))


def _ramp(length: int) -> Image.Image:
    """One row of `length` px, from 0 up."""
    return Image.fromarray((np.arange(length) * 255 // length).astype(np.uint8)[None])
