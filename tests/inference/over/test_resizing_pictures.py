"""The four ways to another size, on pictures whose every pixel is known."""

import numpy as np
import pytest
from PIL import Image

from inference.over.resizing import flattened, resized

WIDE = Image.fromarray(np.repeat(np.arange(0, 240, 10, dtype=np.uint8)[None, :, None], 8, 0).repeat(3, 2))
"""24 x 8, darker to the left."""


def test_stretching_takes_the_whole_picture() -> None:
    small = resized(WIDE, (12, 12), "stretch")

    assert small.size == (12, 12)
    assert np.abs(np.asarray(small, int)[:, 6, 0] - 125).max() <= 1


def test_cropping_covers_the_size_and_cuts_the_middle_out() -> None:
    middle = resized(WIDE, (8, 8), "crop")

    assert (np.asarray(middle) == np.asarray(WIDE)[:, 8:16]).all()


def test_filling_fits_in_and_draws_the_edges_out() -> None:
    rows = np.asarray(resized(WIDE, (24, 20), "fill"))

    assert (rows[6:14] == np.asarray(WIDE)).all()
    assert (rows[:6] == rows[6]).all()
    assert (rows[14:] == rows[13]).all()


def test_filling_a_tall_frame_leaves_no_black_line_where_the_rest_is_odd() -> None:
    filled = np.asarray(resized(Image.new("RGB", (8, 24), "white"), (25, 24), "fill"))

    assert (filled == 255).all()


@pytest.mark.parametrize(("how", "inner"), [("crop", (30, 20)), ("fill", (21, 14))])
def test_sizes_between_are_cut_down_to_whole_pixels(how: str, inner: tuple[int, int]) -> None:
    asked: list[tuple[int, int]] = []

    def enlarge(image: Image.Image, size: tuple[int, int]) -> Image.Image:
        asked.append(size)
        return image.resize(size)

    resized(Image.new("RGB", (300, 200)), (21, 20), how, enlarge)

    assert asked == [inner]


def test_a_picture_of_the_size_is_left_alone() -> None:
    assert resized(WIDE, WIDE.size, "crop") is WIDE


def test_what_is_transparent_shows_the_background() -> None:
    glass = Image.new("RGBA", (2, 1), (200, 0, 0, 255))
    glass.putpixel((1, 0), (200, 0, 0, 0))

    assert np.asarray(flattened(glass, "#102030")).tolist() == [[[200, 0, 0], [16, 32, 48]]]
    assert flattened(Image.new("L", (1, 1), 7), "#ffffff").getpixel((0, 0)) == (7, 7, 7)
