"""Hypernetworks at work, against webui's formula: k = to_k(c + w * net_k(c)), in float32."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from inference.adapters.hypernetwork import parse_hypernetwork
from inference.adapters.nets import Attending, network
from inference.plan import HypernetworkPlan
from inference.weights.load import read_tensors
from modelhub.errors import Incompatible
from modelhub.headers import read_table
from tests import tiny
from tests.inference.adapters.hypernetworks import write_converted

SELF, TEXT = 8, tiny.WIDTH
"""Widths of what enters a self-attention of the tiny UNet, and of the text."""


@pytest.fixture
def unet() -> nn.Module:
    return tiny.models()["unet"]


@pytest.fixture
def plan(tmp_path: Path) -> HypernetworkPlan:
    path = write_converted(tmp_path / "h.safetensors", SELF, TEXT, norms=True, activation_func="relu")
    return planned(path, 0.7)


def planned(path: Path, strength: float) -> HypernetworkPlan:
    return HypernetworkPlan("h", "", path, strength, parse_hypernetwork(path, read_table(path)))


def by_hand(plan: HypernetworkPlan, width: int, half: int, x: Tensor) -> Tensor:
    """Linear, ReLU, norm, linear, ReLU, norm: webui activates the last layer too unless told otherwise."""
    table = read_table(plan.path)
    found: Mapping[str, Tensor] = read_tensors(plan.path, table.tensors, device=torch.device("cpu"))
    front, y = f"{width}.{half}.linear", x
    for linear, norm in ((0, 2), (3, 5)):
        y = F.linear(y, found[f"{front}.{linear}.weight"], found[f"{front}.{linear}.bias"]).relu()
        y = F.layer_norm(y, y.shape[-1:], found[f"{front}.{norm}.weight"], found[f"{front}.{norm}.bias"])
    return x + plan.strength * y


def answer(unet: nn.Module) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    x, text = torch.randn(1, 4, 8, 8, generator=generator), torch.randn(1, 77, TEXT, generator=generator)
    with torch.inference_mode():
        found: Tensor = unet(x, torch.tensor([500]), text, return_dict=False)[0]
    return found


@pytest.mark.parametrize(("module", "width"), [("attn1", SELF), ("attn2", TEXT)])
@pytest.mark.parametrize(("projection", "half"), [("to_k", 0), ("to_v", 1)])
def test_nets_stand_before_keys_and_values_of_their_width(
    unet: nn.Module, plan: HypernetworkPlan, module: str, width: int, projection: str, half: int
) -> None:
    attention = unet.get_submodule(f"down_blocks.0.attentions.0.transformer_blocks.0.{module}")
    x = torch.randn(2, 5, width)
    layer, queries = attention.get_submodule(projection), attention.get_submodule("to_q")
    expected, asked = layer(by_hand(plan, width, half, x)), queries(x[..., :SELF])

    Attending(unet).switch((plan,))

    torch.testing.assert_close(layer(x), expected)
    assert torch.equal(queries(x[..., :SELF]), asked)


def test_taken_out_or_at_strength_0_the_unet_is_what_it_was_to_the_bit(unet: nn.Module, plan: HypernetworkPlan) -> None:
    plain, attending = answer(unet), Attending(unet)

    attending.switch((plan,))
    assert not torch.allclose(answer(unet), plain)
    attending.switch((replace(plan, strength=0.0),))
    assert torch.equal(answer(unet), plain)
    attending.switch((plan,))
    attending.switch(())
    assert torch.equal(answer(unet), plain)


def test_several_act_in_their_order(unet: nn.Module, plan: HypernetworkPlan, tmp_path: Path) -> None:
    other = planned(write_converted(tmp_path / "g.safetensors", TEXT, norms=True, activation_func="relu", seed=1), -0.4)
    layer = unet.get_submodule("down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k")
    x = torch.randn(1, 3, TEXT)
    expected = layer(by_hand(other, TEXT, 0, by_hand(plan, TEXT, 0, x)))

    Attending(unet).switch((plan, other))

    torch.testing.assert_close(layer(x), expected)


def test_what_has_no_net_for_a_width_leaves_it_alone(unet: nn.Module, tmp_path: Path) -> None:
    layer = unet.get_submodule("down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_k")
    x = torch.randn(1, 3, SELF)
    expected = layer(x)

    Attending(unet).switch((planned(write_converted(tmp_path / "h.safetensors", TEXT), 1.0),))

    assert torch.equal(layer(x), expected)


@pytest.mark.parametrize(
    ("name", "function"),
    [("linear", nn.Identity()), ("swish", nn.Hardswish()), ("leakyrelu", nn.LeakyReLU()), ("mish", nn.Mish())],
)
@pytest.mark.parametrize("output", [True, False])
def test_activations_are_webuis(tmp_path: Path, name: str, function: nn.Module, output: bool) -> None:
    path = write_converted(tmp_path / "h.safetensors", 8, activation_func=name, activate_output=output)
    tensors = read_tensors(path, read_table(path).tensors, device=torch.device("cpu"))
    x = torch.randn(3, 8)
    expected = function(F.linear(x, tensors["8.0.linear.0.weight"], tensors["8.0.linear.0.bias"]))
    expected = F.linear(expected, tensors["8.0.linear.2.weight"], tensors["8.0.linear.2.bias"])

    found = network(planned(path, 1.0).nets[8][0], tensors)(x)

    torch.testing.assert_close(found, function(expected) if output else expected)


@pytest.mark.parametrize("name", ["multiheadattention", "os.system"])
def test_an_activation_that_cannot_be_applied_is_named(tmp_path: Path, unet: nn.Module, name: str) -> None:
    path = write_converted(tmp_path / "h.safetensors", 8, activation_func=name)

    with pytest.raises(Incompatible, match=name):
        Attending(unet).switch((planned(path, 1.0),))
