"""A picture through overlapping tiles."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from inference.upscalers.tiles import starts, through_tiles


def picture(width: int, height: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8))


def tiled(image: Image.Image, *, scale: int = 1, tile: int = 16, overlap: int = 4) -> Image.Image:
    def grow(piece: Image.Image) -> Image.Image:
        return piece.resize((piece.width * scale, piece.height * scale), Image.Resampling.NEAREST)

    steps = through_tiles(image, grow, tile=tile, overlap=overlap, task="x")
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("length", "found"),
    [(1, [0]), (192, [0]), (193, [0, 1]), (376, [0, 184]), (377, [0, 92, 185]), (512, [0, 160, 320])],
)
def test_tiles_are_as_few_as_cover_a_side_and_evenly_spaced(length: int, found: list[int]) -> None:
    assert starts(length, 192, 8) == found


@given(st.integers(1, 3000), st.integers(9, 400))
def test_neighbours_overlap_at_least_as_far_as_was_asked(length: int, tile: int) -> None:
    found = starts(length, tile, 8)
    assert found[0] == 0
    assert found[-1] + tile >= length
    assert all(after - before <= tile - 8 for before, after in pairwise(found))


@pytest.mark.parametrize("size", [(10, 10), (16, 40), (61, 37)])
@pytest.mark.parametrize("scale", [1, 3])
def test_what_looks_at_single_pixels_leaves_no_seam(size: tuple[int, int], scale: int) -> None:
    image = picture(*size)
    whole = image.resize((size[0] * scale, size[1] * scale), Image.Resampling.NEAREST)
    difference = np.abs(np.asarray(tiled(image, scale=scale), int) - np.asarray(whole, int))
    assert difference.max() <= 1  # two equal values blended in 8 bits


def test_each_tile_fades_in_over_the_one_before() -> None:
    numbers = iter((0, 255))
    image = Image.new("RGB", (28, 8))
    steps = through_tiles(
        image, lambda piece: Image.new("RGB", piece.size, (next(numbers),) * 3), tile=16, overlap=4, task="x"
    )
    told = []
    while True:
        try:
            told.append(next(steps))
        except StopIteration as end:
            row = np.asarray(end.value)[0, :, 0]
            break
    assert row[11] == 0
    assert list(row[12:16]) == [0, 63, 127, 191]
    assert row[16] == 255
    assert [(one.done, one.total) for one in told] == [(1, 2), (2, 2)]
