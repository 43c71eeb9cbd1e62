"""Where a picture grows, what is drawn there, and what stays."""

import numpy as np
import pytest
from PIL import Image

from inference.over.ground import finished
from inference.over.likeness import continued
from inference.over.outpaint import Side, all_at_once, sides
from inference.request import Outpaint

PICTURE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (128, 128, 3), np.uint8))


@pytest.mark.parametrize(
    ("outpaint", "size", "growths"),
    [
        (Outpaint(left=128), (512, 512), {"left": 128}),
        (Outpaint(left=100), (512, 512), {"left": 128}),  # up to the next multiple of 64
        (Outpaint(right=1), (500, 512), {"right": 12}),
        (Outpaint(left=64, right=64), (500, 512), {"left": 70, "right": 70}),
        (Outpaint(left=32, right=96, up=64, down=64), (512, 512), {"left": 32, "right": 96, "up": 64, "down": 64}),
    ],
)
def test_a_picture_grows_to_multiples_of_64(outpaint: Outpaint, size: tuple[int, int], growths: dict[str, int]) -> None:
    assert {side.name: side.growth for side in sides(outpaint, size)} == growths


@pytest.mark.parametrize(
    ("name", "kept"),
    [("left", (64, 0)), ("right", (0, 0)), ("up", (0, 64)), ("down", (0, 0))],
)
def test_a_side_is_drawn_over_noise_and_the_picture_set_back(name: str, kept: tuple[int, int]) -> None:
    side = Side(Outpaint(blur=2, **{name: 64}), name, 64)

    ground, set_in = side.ground(PICTURE, (128, 128))
    assert ground.size == (128, 128)
    assert ground.mask
    assert ground.latent_mask
    assert ground.latent_mask.histogram()[0] + ground.latent_mask.histogram()[255] == 128 * 128
    result = set_in(finished(Image.new("RGB", ground.size, "red"), ground, ground.cover))

    wide = name in ("left", "right")
    assert result.size == ((192, 128) if wide else (128, 192))
    pixels, old = np.asarray(result), np.asarray(PICTURE)
    inner = pixels[kept[1] : kept[1] + 128, kept[0] : kept[0] + 128]
    deep = {"left": np.s_[:, 30:], "right": np.s_[:, :98], "up": np.s_[30:], "down": np.s_[:98]}[name]
    assert (inner[deep] == old[deep]).all()
    rim = {"left": pixels[:, :40], "right": pixels[:, -40:], "up": pixels[:40], "down": pixels[-40:]}[name]
    assert (rim == [255, 0, 0]).all()


def test_a_large_picture_is_drawn_at_its_edge_alone() -> None:
    ground, set_in = Side(Outpaint(right=64), "right", 64).ground(PICTURE, (96, 96))

    assert ground.size == (96, 128)  # all across, and no wider than what is drawn at once
    result = np.asarray(set_in(Image.new("RGB", ground.size, "red")))
    assert (result[:, :96] == np.asarray(PICTURE)[:, :96]).all()
    assert (result[:, 96:] == [255, 0, 0]).all()


def test_noise_goes_on_in_the_pictures_colours_and_is_always_the_same() -> None:
    picture = Image.new("RGB", (64, 64))
    picture.paste(Image.fromarray(np.random.default_rng(1).integers(90, 130, (64, 32, 3), np.uint8)), (0, 0))
    mask = Image.new("L", (64, 64))
    mask.paste(255, (32, 0, 64, 64))

    one, again = (np.asarray(continued(picture, mask)) for _ in range(2))

    assert (one == again).all()
    assert (one[:, :32] == np.asarray(picture)[:, :32]).all()
    assert one[:, 32:].min() >= 89
    assert one[:, 32:].max() <= 130
    assert one[:, 32:].std() > 5


def test_a_black_picture_goes_on_in_black() -> None:
    mask = Image.new("L", (64, 64))
    mask.paste(255, (32, 0, 64, 64))

    assert not np.asarray(continued(Image.new("RGB", (64, 64)), mask)).any()


def test_the_first_script_grows_all_sides_at_once_over_smeared_colours() -> None:
    ground = all_at_once(Image.new("RGB", (128, 128), (200, 80, 20)), Outpaint(left=64, up=64, method="poor"))

    assert ground.size == (192, 192)
    assert ground.mask
    mask = np.asarray(ground.mask)
    assert (mask[:40] == 255).all()
    assert not mask[100:, 100:].any()
    assert ground.latent_mask
    assert not np.asarray(ground.latent_mask)[66:, 66:].any()
    assert (np.asarray(ground.latent_mask)[:66] == 255).all()
    assert np.abs(np.asarray(ground.picture, int)[10, 10] - [200, 80, 20]).max() <= 2
