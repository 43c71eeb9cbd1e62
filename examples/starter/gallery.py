"""The fixed gallery against which the starter's pictures are recognised: 400 training pictures, 64 of them to draw."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from inference.images.compare import THUMBNAIL, thumbnail

GALLERY = 400
DRAWN = 64
COLUMNS = 20
"""Thumbnails in a row of the sheet."""
SEED = 2026


def choose(count: int) -> tuple[list[int], list[int]]:
    """Which of `count` pictures make the gallery, and the places in it of those to draw; always the same."""
    random = np.random.default_rng(SEED)
    rows = sorted(random.permutation(count)[:GALLERY].tolist())
    return rows, sorted(random.permutation(len(rows))[:DRAWN].tolist())


def thumbnails(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Pictures [N, h, w, 3], each cropped to its content, at [N, 16, 16, 3]."""
    return np.stack([thumbnail(Image.fromarray(picture)) for picture in pixels])


def rank(picture: NDArray[np.uint8], gallery: NDArray[np.uint8], own: int) -> int:
    """How many thumbnails [N, 16, 16, 3] lie nearer to the picture's than its own does: 0 is a hit."""
    differences = gallery.astype(np.float32) - thumbnail(Image.fromarray(picture)).astype(np.float32)
    distances = np.square(differences).mean(axis=(1, 2, 3))
    return int((distances < distances[own]).sum())


def write_sheet(gallery: NDArray[np.uint8], captions: Sequence[str], drawn: Sequence[int], sheet: Path) -> None:
    """Write the gallery row by row as one PNG, and beside it, as JSON, its captions and the places of those drawn."""
    rows = -(-len(gallery) // COLUMNS)
    cells = np.full((rows * COLUMNS, THUMBNAIL, THUMBNAIL, 3), 255, np.uint8)
    cells[: len(gallery)] = gallery
    grid = cells.reshape(rows, COLUMNS, THUMBNAIL, THUMBNAIL, 3).swapaxes(1, 2)
    Image.fromarray(grid.reshape(rows * THUMBNAIL, COLUMNS * THUMBNAIL, 3)).save(sheet, optimize=True)
    listing = {"captions": list(captions), "drawn": list(drawn)}
    sheet.with_suffix(".json").write_text(json.dumps(listing, indent=1) + "\n", "utf-8")
