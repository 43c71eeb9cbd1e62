"""From px to latents, with an encoder whose answers are known: the mean of each 8 x 8 px."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from inference.over.beside import beside, more_channels
from inference.over.ground import masked_ground, prepared
from inference.over.laying import laid
from inference.request import Init, Mask, Soft
from inference.weights.single_file import UNET
from modelhub.families import family

GREY, WHITE = Image.new("RGB", (32, 16), (51, 51, 51)), Image.new("L", (32, 16))
WHITE.paste(255, (16, 0, 32, 16))
"""A mask, white to the right."""
LEVEL = 51 / 255 * 2 - 1
INIT = Init(image="a", mask=Mask(image="m"))


class Encoder:
    """Counts what it encodes."""

    device = torch.device("cpu")

    def __init__(self) -> None:
        self.count = 0

    def encode(self, plan: object, pixels: Tensor) -> Tensor:
        self.count += len(pixels)
        return F.avg_pool2d(pixels.mean(dim=1, keepdim=True), 8).repeat(1, 4, 1, 1)


@pytest.fixture
def encoder() -> Any:
    return Encoder()


def plan(channels: int = 4) -> Any:
    return SimpleNamespace(family=family("sd1"), parts={UNET: SimpleNamespace(config={"in_channels": channels})})


def noise() -> Tensor:
    return torch.full((2, 4, 2, 4), 9.0)


@pytest.mark.parametrize(("channels", "kind"), [(4, None), (9, "mask"), (8, "edit")])
def test_channels_say_what_a_model_sees(channels: int, kind: str | None) -> None:
    assert more_channels(plan(channels)) == kind


def test_an_inpainting_model_sees_the_mask_first_and_then_what_is_left_of_the_picture(encoder: Any) -> None:
    ground = masked_ground(GREY, WHITE, "original")

    seen = laid((ground,), INIT, plan(9), encoder).beside

    assert seen is not None
    assert seen.shape == (1, 5, 2, 4)
    assert seen[0, 0, 0].tolist() == [0, 0, 1, 1]
    for channel in seen[0, 1:, 0]:
        assert channel.tolist() == pytest.approx([LEVEL, LEVEL, 0, 0], abs=1e-6)


def test_less_may_be_hidden_from_it(encoder: Any) -> None:
    init = INIT.model_copy(update={"mask": Mask(image="m", conditioning=0.25)})

    seen = laid((masked_ground(GREY, WHITE, "original"),), init, plan(9), encoder).beside

    assert seen is not None
    assert seen[0, 1, 0].tolist() == pytest.approx([LEVEL, LEVEL, LEVEL * 0.75, LEVEL * 0.75], abs=1e-6)


def test_from_nothing_it_sees_grey_and_a_mask_of_everything(encoder: Any) -> None:
    seen = beside(plan(9), encoder, (32, 16))

    assert seen is not None
    assert (seen[:, 0] == 1).all()
    assert (seen[:, 1:] == 0).all()


def test_an_instructed_model_sees_latents_that_are_not_scaled(encoder: Any) -> None:
    seen = laid((prepared(Init(image="a"), (32, 16), GREY),), Init(image="a"), plan(8), encoder).beside

    assert seen is not None
    assert seen.unique().tolist() == pytest.approx([LEVEL / 0.18215])


@pytest.mark.parametrize(
    ("content", "right"), [("original", LEVEL), ("latent noise", 9.0), ("latent nothing", 0.0), ("fill", LEVEL)]
)
def test_what_stands_under_the_mask_is_what_was_asked_for(encoder: Any, content: str, right: float) -> None:
    init = INIT.model_copy(update={"mask": Mask(image="m", content=content)})  # type: ignore[arg-type]

    old = laid((masked_ground(GREY, WHITE, content),), init, plan(), encoder)
    latents = old.canvas(noise, before=False).latents

    assert latents is not None
    assert latents[0, 0, 0].tolist() == pytest.approx([LEVEL, LEVEL, right, right], abs=0.02)


def test_latents_are_encoded_once_for_all_batches(encoder: Any) -> None:
    old = laid((masked_ground(GREY, WHITE, "original"),), INIT, plan(), encoder)

    for _ in range(3):
        old.canvas(noise, before=False)

    assert encoder.count == 1


def test_after_the_last_step_the_old_latents_stand_outside_the_mask(encoder: Any) -> None:
    canvas = laid((masked_ground(GREY, WHITE, "original"),), INIT, plan(), encoder).canvas(noise, before=True)

    assert canvas.closed
    assert canvas.closed(noise())[1, 0, 0].tolist() == pytest.approx([LEVEL, LEVEL, 9, 9])


def test_a_soft_mask_is_not_rounded_and_nothing_is_put_back_after_the_last_step(encoder: Any) -> None:
    grey = WHITE.point([one * 100 // 255 for one in range(256)])
    soft = INIT.model_copy(update={"mask": Mask(image="m", soft=Soft())})

    hard, gentle = (laid((masked_ground(GREY, grey, "original"),), one, plan(), encoder) for one in (INIT, soft))

    assert hard.mask is not None
    assert gentle.mask is not None
    assert hard.mask.unique().tolist() == [0]
    assert gentle.mask.max().item() == pytest.approx(100 / 255, abs=0.05)
    canvas = gentle.canvas(noise, before=False)
    assert canvas.closed
    assert (canvas.closed(noise()) == 9).all()


def test_latents_may_be_brought_to_the_size_instead_of_the_picture(encoder: Any) -> None:
    init = Init(image="a", resize="latent")
    halves = Image.fromarray(np.repeat(np.array([0, 255], np.uint8), 8)[None].repeat(8, 0)).convert("RGB")

    old = laid((prepared(init, (32, 8), halves),), init, plan(), encoder)

    assert old.latents[0, 0, 0].tolist() == pytest.approx([-1, -0.5, 0.5, 1])


def test_colours_are_put_right_before_the_old_picture_covers_them(encoder: Any) -> None:
    init = INIT.model_copy(update={"colour_correction": True})
    canvas = laid((masked_ground(GREY, WHITE, "original"),), init, plan(), encoder).canvas(noise, before=False)

    done = np.asarray(canvas.finished(Image.new("RGB", (32, 16), (200, 10, 10)), noise()[0], 1), int)

    assert (done[:, :16] == 51).all()
    assert np.ptp(done[:, 16:], axis=2).max() <= 3  # grey as the old one, in the light of the new
