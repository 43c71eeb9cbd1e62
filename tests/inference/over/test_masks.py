"""Reading, softening and measuring masks; blurs are compared with figures that OpenCV gives."""

import numpy as np
import pytest
from PIL import Image

from inference.over.fills import filled
from inference.over.masks import blurred, cover, doubled, hole, read_mask, region


def alpha(*values: int) -> Image.Image:
    image = Image.new("RGBA", (len(values), 1), "white")
    image.putalpha(Image.fromarray(np.array([values], np.uint8)))
    return image


def levels(image: Image.Image) -> list[int]:
    return np.asarray(image).ravel().tolist()


def boxed(box: tuple[int, int, int, int], size: tuple[int, int] = (100, 60)) -> Image.Image:
    mask = Image.new("L", size)
    mask.paste(255, box)
    return mask


def test_a_mask_is_a_pictures_brightness() -> None:
    grey = Image.fromarray(np.array([[0, 100, 128, 129, 255]], np.uint8))

    assert levels(read_mask(grey)) == [0, 100, 128, 129, 255]
    assert levels(read_mask(grey, invert=True)) == [255, 155, 127, 126, 0]


def test_a_mask_with_transparent_parts_is_its_alpha() -> None:
    assert levels(read_mask(alpha(0, 128, 129, 255))) == [0, 0, 255, 255]
    assert levels(read_mask(alpha(0, 128, 129, 255), rounded=False)) == [0, 128, 129, 255]


def test_alpha_that_is_opaque_everywhere_says_nothing() -> None:
    assert levels(read_mask(alpha(255, 255))) == [255, 255]
    assert hole(alpha(255, 255)) is None
    assert hole(Image.new("RGB", (1, 1))) is None


def test_the_hole_of_a_picture_is_all_that_is_not_opaque() -> None:
    assert levels(hole(alpha(0, 254, 255)) or Image.new("L", (0, 0))) == [255, 255, 0]


OPENCV = {1: [0, 1, 14, 62, 102, 62, 14, 1, 0], 2: [14, 19, 31, 45, 52, 45, 31, 19, 14]}
"""Blurring a single 255 amid nine with cv2.GaussianBlur, kernels of 7 and 11."""


@pytest.mark.parametrize("deviation", OPENCV)
def test_a_blur_is_opencvs_to_a_level(deviation: int) -> None:
    point = Image.fromarray(np.array([[0, 0, 0, 0, 255, 0, 0, 0, 0]], np.uint8))

    assert np.abs(np.array(levels(blurred(point, deviation, 0))) - OPENCV[deviation]).max() <= 1


def test_a_blur_reaches_two_and_a_half_deviations_and_no_further() -> None:
    soft = np.asarray(blurred(boxed((40, 20, 60, 40)), 4, 2))

    assert soft[30, 39 - 9] > 0
    assert not soft[:, : 40 - 10].any()
    assert not soft[: 20 - 5].any()


def test_no_blur_changes_nothing() -> None:
    mask = boxed((1, 2, 3, 4))

    assert levels(blurred(mask, 0, 0)) == levels(mask)


def test_the_outer_half_of_an_edge_is_made_firm() -> None:
    assert levels(doubled(Image.fromarray(np.array([[0, 1, 127, 128, 255]], np.uint8)))) == [0, 2, 254, 255, 255]


@pytest.mark.parametrize(
    ("box", "padding", "shape", "expected"),
    [
        ((40, 20, 60, 40), 0, (64, 64), (40, 20, 60, 40)),
        ((40, 20, 60, 40), 5, (64, 64), (35, 15, 65, 45)),
        ((0, 0, 10, 10), 5, (64, 64), (0, 0, 15, 15)),  # padding stops at the picture's edge
        ((40, 20, 60, 30), 0, (64, 64), (40, 15, 60, 35)),  # as high as wide
        ((40, 20, 60, 40), 0, (128, 64), (30, 20, 70, 40)),  # twice as wide as high
        ((2, 20, 12, 40), 0, (64, 64), (0, 20, 20, 40)),  # moved away from the left edge
        ((90, 20, 100, 40), 0, (64, 64), (80, 20, 100, 40)),  # and from the right one
        ((0, 20, 90, 40), 0, (64, 64), (0, 0, 90, 60)),  # no more than there is
    ],
)
def test_a_masked_part_is_widened_to_the_shape_that_is_drawn(
    box: tuple[int, int, int, int], padding: int, shape: tuple[int, int], expected: tuple[int, int, int, int]
) -> None:
    assert region(boxed(box), padding, shape) == expected


def test_an_empty_mask_has_no_part() -> None:
    assert region(Image.new("L", (8, 8)), 4, (64, 64)) is None


def test_a_cover_is_opaque_where_the_mask_is_black_and_open_where_it_is_white() -> None:
    mask = Image.fromarray(np.array([[0, 51, 255]], np.uint8))
    over = np.asarray(cover(Image.new("RGB", (3, 1), (90, 200, 10)), mask))[0]

    assert over[0].tolist() == [90, 200, 10, 255]
    assert over[1].tolist()[3] == 204
    assert np.abs(over[1][:3].astype(int) - [90, 200, 10]).max() <= 1
    assert over[2][3] == 0


def test_a_fill_takes_the_colours_around_and_leaves_the_rest() -> None:
    picture = Image.new("RGB", (64, 64), (20, 120, 220))
    picture.paste((255, 0, 0), (24, 24, 40, 40))

    painted = np.asarray(filled(picture, boxed((24, 24, 40, 40), (64, 64))), int)

    assert np.abs(painted[32, 32] - [20, 120, 220]).max() <= 2
    assert (painted[:20] == [20, 120, 220]).all()
