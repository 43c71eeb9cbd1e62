"""Colour correction, against figures of OpenCV and scikit-image."""

import numpy as np
from PIL import Image

from inference.over.colours import _matched, _to_lab, _to_rgb, with_colours_of

RGB = [(0, 0, 0), (255, 255, 255), (255, 0, 0), (0, 255, 0), (0, 0, 255), (12, 200, 99), (130, 7, 220), (90, 91, 92)]
LAB = [
    (0, 128, 128), (255, 128, 128), (136, 208, 195), (224, 42, 211), (82, 207, 20), (181, 65, 167), (97, 203, 50),
    (99, 128, 127),
]  # fmt: skip
"""What cv2.COLOR_RGB2LAB makes of them."""


def test_lab_is_opencvs_to_a_level() -> None:
    assert np.abs(_to_lab(np.array([RGB], np.uint8))[0].astype(int) - LAB).max() <= 1


def test_lab_turns_back_into_the_same_colours() -> None:
    back = _to_rgb(_to_lab(np.array([RGB], np.uint8)))[0].astype(int)

    assert np.abs(back - RGB).max() <= 9  # 8 bits of a* and b* are coarse at the rim: OpenCV's own miss by 8


def test_levels_go_to_the_levels_of_the_same_quantile() -> None:
    values, reference = np.array([[0, 10, 20, 30]], np.uint8), np.array([[100, 100, 200, 250]], np.uint8)

    # half of the reference lies at 100, three quarters reach 200; below the first share there is only 100
    assert _matched(values, reference).tolist() == [[100, 100, 200, 250]]


def test_a_picture_with_its_own_colours_stays_as_it_is() -> None:
    own = Image.fromarray(np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8))

    assert np.abs(np.asarray(with_colours_of(own, own), int) - np.asarray(own)).max() <= 8


def test_colours_come_from_the_reference_and_light_stays() -> None:
    grey = Image.fromarray(np.linspace(60, 180, 64, dtype=np.uint8).reshape(8, 8)).convert("RGB")
    red = Image.merge("RGB", [grey.getchannel(0), Image.new("L", (8, 8), 40), Image.new("L", (8, 8), 40)])

    tinted = np.asarray(with_colours_of(grey, red), float)

    assert (tinted[..., 0] > tinted[..., 1] + 15).mean() > 0.8
    assert np.abs(tinted @ [0.3, 0.59, 0.11] - np.asarray(grey, float)[..., 0]).max() <= 2
