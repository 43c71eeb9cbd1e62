import numpy as np
import pytest
from PIL import Image

from inference.control.hints import hint
from inference.request import ControlUse


def use(**said: object) -> ControlUse:
    return ControlUse.model_validate({"ref": "net", "image": "x", **said})


def halves(width: int = 100, height: int = 50) -> Image.Image:
    """Red on the left, blue on the right."""
    picture = np.zeros((height, width, 3), np.uint8)
    picture[:, : width // 2] = (255, 0, 0)
    picture[:, width // 2 :] = (0, 0, 255)
    return Image.fromarray(picture)


def test_a_picture_of_the_size_is_taken_as_it_is() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (64, 96, 3), np.uint8)

    assert np.array_equal(hint(Image.fromarray(noise), use(), (96, 64)), noise)


def test_stretched_it_fills_the_size() -> None:
    made = hint(halves(), use(resize="stretch"), (64, 64))

    assert made.shape == (64, 64, 3)
    assert made[:, :28].mean(axis=(0, 1)).tolist() == [255, 0, 0]
    assert made[:, 36:].mean(axis=(0, 1)).tolist() == [0, 0, 255]


def test_cropped_its_middle_covers_the_size() -> None:
    """100x50 covers 64x64 as 128x64, of which 32 columns go on each side."""
    made = hint(halves(), use(resize="crop"), (64, 64))

    assert made[:, 0].tolist() == [[255, 0, 0]] * 64
    assert made[:, 63].tolist() == [[0, 0, 255]] * 64


def test_filled_it_stands_whole_on_the_colour_of_its_border() -> None:
    picture = np.full((50, 100, 3), 30, np.uint8)
    picture[20:30, 40:60] = 200

    made = hint(Image.fromarray(picture), use(resize="fill"), (64, 64))

    assert (made[:16] == 30).all()
    assert (made[48:] == 30).all()
    assert made[32, 32].tolist() == [200, 200, 200]


def test_black_and_white_stays_so_and_maps_of_few_colours_keep_them() -> None:
    edges = np.zeros((40, 40, 3), np.uint8)
    edges[::7] = 255
    colours = np.zeros((40, 40, 3), np.uint8)
    colours[:20], colours[20:30] = (10, 20, 30), (200, 100, 0)

    assert set(np.unique(hint(Image.fromarray(edges), use(), (64, 64)))) == {0, 255}
    before, after = (
        np.unique(one.reshape(-1, 3), axis=0) for one in (colours, hint(Image.fromarray(colours), use(), (64, 64)))
    )
    assert np.array_equal(before, after)


def test_canny_draws_the_edge_white_on_black_at_the_resolution_that_is_drawn() -> None:
    made = hint(halves(), use(preprocessor="canny", options=(100.0,)), (200, 100))

    white = np.flatnonzero(made.max(axis=(0, 2)))
    assert set(np.unique(made)) == {0, 255}
    assert 97 <= white.min() <= white.max() <= 102


@pytest.mark.parametrize("thresholds", [(100.0, 200.0), (1.0, 255.0)])
def test_cannys_thresholds_are_opencvs(thresholds: tuple[float, float]) -> None:
    import cv2

    noise = cv2.GaussianBlur(np.random.default_rng(1).integers(0, 256, (64, 64, 3), np.uint8), (5, 5), 0)

    made = hint(Image.fromarray(noise), use(preprocessor="canny", options=thresholds), (64, 64))

    assert np.array_equal(made[..., 0], cv2.Canny(noise, *thresholds))
