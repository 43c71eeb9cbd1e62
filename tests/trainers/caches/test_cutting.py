"""A cut shows what its placement says; a mask's cut is its picture's."""

import colorsys

import numpy as np
import pytest
from PIL import Image

from tests.trainers.pictures import picture
from trainers.caches.cutting import coloured, cut, cut_mask
from trainers.framing.augment import Colouring
from trainers.framing.buckets import Placement, place

SQUARE = [(64, 64)]


def test_a_cut_is_the_centre_at_the_buckets_size() -> None:
    image = picture((128, 64))

    assert cut(image, place(image.size, SQUARE), False).tobytes() == image.crop((32, 0, 96, 64)).tobytes()


def test_a_mirrored_cut_is_the_mirror_image_of_the_cut() -> None:
    image = picture((100, 64))
    placement = place(image.size, SQUARE)

    mirrored = cut(image, placement, True).transpose(Image.Transpose.FLIP_LEFT_RIGHT)

    assert mirrored.tobytes() == cut(image, placement, False).tobytes()


def test_shrinking_takes_the_mean_of_an_area() -> None:
    image = Image.new("RGB", (128, 128))
    image.paste((200, 100, 0), (0, 0, 1, 1))

    assert cut(image, place(image.size, SQUARE), False).getpixel((0, 0)) == (50, 25, 0)


def test_a_mask_is_cut_and_mirrored_as_its_picture_and_is_the_mean_over_each_latent() -> None:
    mask = Image.new("L", (96, 64))
    mask.paste(255, (16, 0, 36, 64))
    placement = Placement((64, 64), (96, 64), (16, 0))

    plain, mirrored = (np.asarray(cut_mask(mask, placement, flag, 8)) for flag in (False, True))

    assert plain.shape == (8, 8)
    assert plain[0].tolist() == [255, 255, 128, 0, 0, 0, 0, 0]
    assert (mirrored == plain[:, ::-1]).all()


def test_hues_turn_and_what_has_none_stays() -> None:
    image = Image.new("RGB", (2, 1), (128, 128, 128))
    image.putpixel((0, 0), (255, 0, 0))

    turned = coloured(image, Colouring(turn=8 / 180))

    red = [value / 255 for value in turned.getpixel((0, 0))]  # type: ignore[union-attr]
    assert colorsys.rgb_to_hsv(*red)[0] == pytest.approx(8 / 180, abs=1 / 128)
    assert turned.getpixel((1, 0)) == (128, 128, 128)


def test_a_gamma_bends_what_is_between_black_and_white() -> None:
    image = Image.new("RGB", (1, 1), (0, 128, 255))

    assert coloured(image, Colouring(gamma=1.05)).getpixel((0, 0)) == (0, round((128 / 255) ** 1.05 * 255), 255)


def test_a_copy_that_is_left_as_it_is_keeps_every_pixel() -> None:
    image = picture((8, 8))

    assert coloured(image, Colouring()) is image


def test_of_a_thread_only_what_is_shown_is_computed() -> None:
    """Scaled as a whole this one would have 4 billion pixels."""
    image = picture((60_000, 1)).convert("RGB")

    shown = cut(image, place(image.size, SQUARE), False)

    assert shown.size == (64, 64)
    assert shown.getpixel((32, 32)) == image.getpixel((30_000, 0))
