"""A ControlNet's residuals reach the UNet as diffusers gives them, scaled as the ControlNet extension does."""

from collections.abc import Mapping

import pytest
import torch
from diffusers import ControlNetModel
from torch import Tensor, nn

from inference.conditioning.encoding import Encoding
from inference.control.unit import ControlUnit, layer_scales
from inference.model import Asked, Model, Residuals
from inference.objectives import objective
from inference.schedules import SigmaTable
from modelhub.families import family
from tests.tiny import WIDTH

NOISE = family("sd1").noise
assert NOISE
TABLE = SigmaTable(NOISE)


@pytest.fixture(scope="module")
def net(models: Mapping[str, nn.Module]) -> nn.Module:
    """With its convolutions that begin at zero set to something."""
    torch.manual_seed(3)
    made: nn.Module = ControlNetModel.from_unet(models["unet"], conditioning_embedding_out_channels=(8, 16))
    for parameter in made.parameters():
        nn.init.normal_(parameter, std=0.05)
    return made.eval()


def unit(net: nn.Module, **said: object) -> ControlUnit:
    values = {"weight": 1.0, "start": 0.0, "end": 1.0, "mode": "balanced", "steps": 10, "calls": 1, **said}
    return ControlUnit(net, torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(1)), **values)  # type: ignore[arg-type]


def asked(call: int = 0, negative: int = 0) -> Asked:
    rows = torch.Generator().manual_seed(2)
    said = Encoding(torch.randn(2, 77, WIDTH, generator=rows))
    return Asked(torch.randn(2, 4, 32, 32, generator=rows), 3.0, said, call, negative=negative)


def answer(one: ControlUnit, **said: int) -> Residuals | None:
    question = asked(**said)
    return one(question, question.x, torch.full((2,), 500.0))


def plain(net: nn.Module) -> list[Tensor]:
    """All layers as diffusers gives them, the middle one last."""
    one = unit(net)
    question = asked()
    down, middle = net(
        question.x, torch.full((2,), 500.0), question.said.tokens, one.hint.expand(2, -1, -1, -1), return_dict=False
    )
    return [*down, middle]


def layers(found: Residuals | None) -> list[Tensor]:
    assert found
    return [*found.down, found.middle]


@torch.inference_mode()
def test_a_model_with_control_equals_diffusers_unet_with_the_residuals(
    models: Mapping[str, nn.Module], net: nn.Module
) -> None:
    question = asked()
    model = Model(models["unet"], objective("epsilon", TABLE), (unit(net),))
    t = torch.full((2,), TABLE.timestep(3.0))
    scaled = question.x / (3.0**2 + 1) ** 0.5
    hints = unit(net).hint.expand(2, -1, -1, -1)
    down, middle = net(scaled, t, question.said.tokens, hints, return_dict=False)
    eps = models["unet"](
        scaled, t, question.said.tokens, down_block_additional_residuals=down, mid_block_additional_residual=middle
    ).sample

    torch.testing.assert_close(model(question), question.x - 3.0 * eps)


@torch.inference_mode()
def test_several_units_are_summed(models: Mapping[str, nn.Module], net: nn.Module) -> None:
    both = Model(models["unet"], objective("epsilon", TABLE), (unit(net, weight=0.5), unit(net, weight=0.5)))
    one = Model(models["unet"], objective("epsilon", TABLE), (unit(net),))

    torch.testing.assert_close(both(asked()), one(asked()))


@torch.inference_mode()
def test_the_weight_scales_every_layer(net: nn.Module) -> None:
    for found, bare in zip(layers(answer(unit(net, weight=0.5))), plain(net), strict=True):
        torch.testing.assert_close(found, bare * 0.5)


def test_layers_far_from_the_middle_count_less_where_one_side_is_more_important() -> None:
    assert layer_scales("balanced", 13) == [1.0] * 13
    for mode in ("prompt", "control"):
        scales = layer_scales(mode, 13)
        assert scales[12] == 1.0
        assert scales[0] == pytest.approx(0.825**12)
        assert layer_scales(mode, 10)[9] == pytest.approx(0.825**3)


@torch.inference_mode()
def test_where_control_is_more_important_the_negative_prompts_rows_get_none(net: nn.Module) -> None:
    found = layers(answer(unit(net, mode="control"), negative=1))
    for layer, bare, scale in zip(found, plain(net), layer_scales("control", len(found)), strict=True):
        assert (layer[0] == 0).all()
        torch.testing.assert_close(layer[1], bare[1] * scale)
    assert answer(unit(net, mode="control"), negative=2) is None


@torch.inference_mode()
def test_a_shuffle_models_residuals_are_the_same_all_over_the_picture(net: nn.Module) -> None:
    for layer, bare in zip(layers(answer(unit(net, pooled=True), negative=1)), plain(net), strict=True):
        assert (layer[0] == 0).all()
        torch.testing.assert_close(layer[1], bare[1].mean(dim=(1, 2), keepdim=True).expand_as(bare[1]))


@pytest.mark.parametrize(
    ("calls", "acting"),
    [(1, [3, 4, 5, 6]), (2, [6, 7, 8, 9, 10, 11, 12, 13])],
)
@torch.inference_mode()
def test_it_acts_between_its_shares_of_the_steps_counted_one_behind(
    net: nn.Module, calls: int, acting: list[int]
) -> None:
    """Of 10 steps, step i is at (i - 1) / 10; a sampler of second order takes two calls a step."""
    one = unit(net, start=0.2, end=0.5, calls=calls)

    assert [call for call in range(10 * calls) if answer(one, call=call)] == acting
