"""Convolutions that go on at the far edge."""

from collections.abc import Mapping
from copy import deepcopy

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from inference.tiling import set_tiling


def rolled(image: Tensor, by: int) -> Tensor:
    return image.roll((by, 2 * by), dims=(-2, -1))


@pytest.fixture(scope="module")
def decoder(models: Mapping[str, nn.Module]) -> nn.Module:
    return deepcopy(models["vae"])


def test_a_convolution_sees_the_far_edge_beyond_the_near_one() -> None:
    conv, image = nn.Conv2d(2, 3, 3, padding=1), torch.randn(1, 2, 5, 7)
    set_tiling([conv], on=True)

    wrapped = F.conv2d(F.pad(image, (1, 1, 1, 1), mode="circular"), conv.weight, conv.bias)
    assert torch.equal(conv(image), wrapped)


def test_it_sees_zeros_again_when_it_is_over() -> None:
    conv, image = nn.Conv2d(2, 3, 3, padding=1), torch.randn(1, 2, 5, 7)
    before = conv(image)

    set_tiling([conv], on=True)
    set_tiling([conv], on=False)

    assert torch.equal(conv(image), before)


@pytest.mark.parametrize(("on", "alike"), [(True, True), (False, False)])
def test_a_pattern_that_is_moved_is_decoded_to_the_moved_picture(decoder: nn.Module, on: bool, alike: bool) -> None:
    latents = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    set_tiling([decoder], on=on)

    with torch.inference_mode():
        plain, moved = (decoder.decode(one).sample for one in (latents, rolled(latents, 3)))  # type: ignore[operator]

    assert torch.allclose(moved, rolled(plain, 24), atol=1e-5) is alike


def test_a_unet_denoises_a_moved_pattern_to_the_moved_result(models: Mapping[str, nn.Module]) -> None:
    unet = deepcopy(models["unet"])
    set_tiling([unet], on=True)
    latents, said = torch.randn(1, 4, 8, 8), torch.randn(1, 77, 16)

    with torch.inference_mode():
        plain, moved = (unet(one, 500, said).sample for one in (latents, rolled(latents, 2)))

    assert torch.allclose(moved, rolled(plain, 2), atol=1e-5)
