"""ControlNets of every layout come to the modules that diffusers builds."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from diffusers import ControlNetModel
from torch import nn

from inference.weights import unet as unet_layout
from inference.weights.controlnet import controlnet_part
from inference.weights.load import build, load_part
from inference.weights.parts import UNET, Part, Weights
from inference.weights.save import save_tensors
from inference.weights.single_file import part_in, rename
from modelhub.errors import BrokenFile
from modelhub.families import family
from modelhub.headers import read_table
from tests import tables, tables_controls


def random_net(unet: nn.Module) -> nn.Module:
    torch.manual_seed(4)
    net: nn.Module = ControlNetModel.from_unet(unet, conditioning_embedding_out_channels=(8, 12, 16))
    for parameter in net.parameters():
        nn.init.normal_(parameter, std=0.05)
    return net.eval()


def ldm_names(net: nn.Module) -> dict[str, torch.Tensor]:
    """The net's tensors as ControlNet's authors name them."""
    names = {ours: theirs for theirs, ours in unet_layout.names(unet_layout.shape_of(unet_config(net))).items()}
    hint = "controlnet_cond_embedding"
    names |= {f"{hint}.conv_in": "input_hint_block.0", f"{hint}.conv_out": "input_hint_block.10"}
    names |= {f"{hint}.blocks.{index}": f"input_hint_block.{2 * index + 2}" for index in range(4)}
    names |= {f"controlnet_down_blocks.{index}": f"zero_convs.{index}.0" for index in range(40)}
    names |= {"controlnet_mid_block": "middle_block_out.0"}
    return {rename(name, names): tensor for name, tensor in net.state_dict().items()}


def unet_config(net: nn.Module) -> Mapping[str, object]:
    config = dict(net.config)  # type: ignore[arg-type]
    downs = config["down_block_types"]
    return {**config, "out_channels": 4, "up_block_types": [one.replace("Down", "Up") for one in reversed(downs)]}


@pytest.mark.parametrize("prefix", ["", "control_model."])
@pytest.mark.parametrize("layout", ["ldm", "diffusers"])
def test_a_file_loads_to_the_very_tensors(
    layout: str, prefix: str, models: Mapping[str, nn.Module], parts: Mapping[str, Part], tmp_path: Path
) -> None:
    net = random_net(models["unet"])
    tensors = ldm_names(net) if layout == "ldm" else net.state_dict()
    path = tmp_path / "net.safetensors"
    save_tensors(path, {prefix + name: tensor for name, tensor in tensors.items()}, {})

    part = controlnet_part(Weights(path, read_table(path)), parts[UNET])
    loaded = load_part(part, device=torch.device("cpu"), dtype=torch.float32)

    own = net.state_dict()
    assert own.keys() == loaded.state_dict().keys()
    assert all(torch.equal(tensor, own[name]) for name, tensor in loaded.state_dict().items())
    assert loaded.config["attention_head_dim"] == net.config["attention_head_dim"]  # type: ignore[index]


def test_the_published_sd1_table_fills_every_parameter_with_nothing_left(tmp_path: Path) -> None:
    base = tables.write(tmp_path / "base.safetensors", tables.ldm_checkpoint())
    net = tables.write(tmp_path / "net.safetensors", tables_controls.ldm_controlnet())
    unet = part_in(Weights(base, read_table(base)), family("sd1"), "unet")

    part = controlnet_part(Weights(net, read_table(net)), unet)

    module = build(part)
    shapes = {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
    weights = {name: shape for name, shape in part.shapes.items() if name.endswith(".weight")}
    assert weights == {name: shape for name, shape in shapes.items() if name in weights}
    assert part.config["conditioning_embedding_out_channels"] == (16, 32, 96, 256)
    assert (module.config["cross_attention_dim"], len(module.controlnet_down_blocks)) == (768, 12)  # type: ignore[arg-type,index]


def test_what_is_no_controlnet_is_refused(parts: Mapping[str, Part], checkpoint: Path) -> None:
    with pytest.raises(BrokenFile, match="no ControlNet"):
        controlnet_part(Weights(checkpoint, read_table(checkpoint)), parts[UNET])
