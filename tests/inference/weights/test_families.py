"""Stable Diffusion 2, XL, its refiner and its pruned offspring: each tensor of a file becomes the right parameter."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from diffusers.loaders.single_file_utils import convert_ldm_unet_checkpoint, convert_open_clip_checkpoint
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from inference.weights.export import checkpoint_tensors
from inference.weights.load import build, load_part
from inference.weights.parts import TEXT_ROLES, Part
from inference.weights.single_file import checkpoint_parts
from inference.weights.text_encoder import canonical
from modelhub.families import family
from modelhub.headers import TensorEntry, TensorTable, read_table
from tests import natives, tiny_families
from tests.architectures import UNETS

CPU = torch.device("cpu")
VAE: Mapping[str, Any] = {
    "block_out_channels": (128, 256, 512, 512),
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
    "layers_per_block": 2,
}
CLIP_L = CLIPTextConfig(
    hidden_size=768, intermediate_size=3072, num_attention_heads=12, num_hidden_layers=12, hidden_act="quick_gelu"
)
CLIP_H = CLIPTextConfig(
    hidden_size=1024, intermediate_size=4096, num_attention_heads=16, num_hidden_layers=23, hidden_act="gelu"
)
CLIP_G = CLIPTextConfig(
    hidden_size=1280, intermediate_size=5120, num_attention_heads=20, num_hidden_layers=32, hidden_act="gelu",
    projection_dim=1280,
)  # fmt: skip
TEXT: Mapping[str, Mapping[str, tuple[type[nn.Module], CLIPTextConfig]]] = {
    "sd1": {"text_encoder": (CLIPTextModel, CLIP_L)},
    "sd2": {"text_encoder": (CLIPTextModel, CLIP_H)},
    "sdxl": {"text_encoder": (CLIPTextModel, CLIP_L), "text_encoder_2": (CLIPTextModelWithProjection, CLIP_G)},
    "sdxl-refiner": {"text_encoder_2": (CLIPTextModelWithProjection, CLIP_G)},
}
XL = UNETS["sdxl"][1]
NETS: Mapping[str, Mapping[str, Any]] = {
    **{name: UNETS[name][1] for name in ("sd1", "sd1 inpaint", "sd1 pix2pix", "sd2", "sd2 inpaint", "sd2 depth")},
    **{name: UNETS[name][1] for name in ("sdxl", "sdxl inpaint", "sdxl pix2pix", "sdxl-refiner")},
    "sdxl ssd-1b": {
        **XL,
        "transformer_layers_per_block": (1, 2, 4),
        "reverse_transformer_layers_per_block": ((4, 4, 10), (2, 1, 1), 1),
        "mid_block_type": "UNetMidBlock2D",
    },
    "sdxl vega": {**XL, "transformer_layers_per_block": (1, 1, 2), "mid_block_type": "UNetMidBlock2D"},
    "sdxl koala-700m": {
        **XL, "transformer_layers_per_block": (1, 2, 5), "layers_per_block": 1, "mid_block_type": None,
    },
    "sdxl koala-1b": {**XL, "transformer_layers_per_block": (1, 2, 6), "layers_per_block": 1},
    "sdxl of uneven levels": {**XL, "layers_per_block": (1, 3, 2)},
}  # fmt: skip
"""As the published configurations have them, shapes and all; the last is what pruning may leave."""


def shapes(module: nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(one.shape) for name, one in module.state_dict().items()}


def table_of(tensors: Mapping[str, torch.Tensor]) -> TensorTable:
    return TensorTable({name: TensorEntry("F16", tuple(one.shape), (0, 0)) for name, one in tensors.items()}, {})


def real(name: str) -> tuple[str, dict[str, Any]]:
    """A family and its published models, without memory."""
    of = name.partition(" ")[0]
    with torch.device("meta"):
        models: dict[str, Any] = {"unet": UNet2DConditionModel(**NETS[name]), "vae": AutoencoderKL(**VAE)}
        models |= {role: kind(config) for role, (kind, config) in TEXT[of].items()}  # type: ignore[arg-type]
    return of, models


@pytest.mark.parametrize("name", NETS)
def test_a_real_table_becomes_the_published_modules_and_nothing_is_left_over(name: str) -> None:
    of, models = real(name)
    tensors = checkpoint_tensors(**models, family=of)

    parts = checkpoint_parts(Path("real.safetensors"), table_of(tensors), family(of))

    assert parts.keys() == models.keys()
    for role, part in parts.items():
        assert shapes(build(part)) == shapes(models[role])
        named = {canonical(one) if role in TEXT_ROLES else one for one in shapes(models[role])}
        assert part.keys.keys() == named
    read = {piece.tensor for part in parts.values() for piece in part.keys.values()}
    assert {one for one in tensors.keys() - read if "resblocks.23." not in one} == set()


@pytest.mark.parametrize("name", [one for one in NETS if "uneven" not in one])
def test_a_real_unets_tensors_have_the_names_that_its_authors_gave_them(name: str) -> None:
    of, models = real(name)
    tensors = checkpoint_tensors(**models, family=of)

    prefix = "model.diffusion_model."
    ours = {key.removeprefix(prefix): tuple(one.shape) for key, one in tensors.items() if key.startswith(prefix)}
    layers = NETS[name].get("layers_per_block", 2)
    theirs = shapes(models["unet"])
    assert ours == {natives.ldm_name(key, theirs, layers): shape for key, shape in theirs.items()}


@pytest.mark.parametrize("name", ["sd2", "sdxl", "sdxl-refiner"])
def test_every_unet_name_means_what_diffusers_converter_makes_of_it(name: str) -> None:
    of, models = real(name)
    tensors = checkpoint_tensors(**models, family=of)
    part = checkpoint_parts(Path("real.safetensors"), table_of(tensors), family(of))["unet"]

    theirs = convert_ldm_unet_checkpoint(dict(tensors), dict(models["unet"].config))

    assert theirs.keys() == part.keys.keys()
    assert all(theirs[name] is tensors[piece.tensor] for name, piece in part.keys.items())


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("sdxl", {"model.": 1680, "first_stage_model.": 248, "conditioner.embedders.0.": 196,
                  "conditioner.embedders.1.": 389}),
        ("sd2", {"model.": 686, "first_stage_model.": 248, "cond_stage_model.": 292}),
    ],
)  # fmt: skip
def test_a_checkpoint_has_the_tensors_that_the_published_file_has(name: str, counts: Mapping[str, int]) -> None:
    """But for position ids, the scale of logits, and SD2's projection, which nothing reads."""
    of, models = real(name)
    tensors = checkpoint_tensors(**models, family=of)

    assert {prefix: sum(one.startswith(prefix) for one in tensors) for prefix in counts} == counts


@pytest.mark.parametrize(
    ("name", "heads"),
    [("sd1", 8), ("sd2", [5, 10, 20, 20]), ("sdxl", [5, 10, 20]), ("sdxl-refiner", [6, 12, 24, 24])],
)
def test_heads_and_activations_are_the_familys(name: str, heads: Any) -> None:
    of, models = real(name)

    parts = checkpoint_parts(Path("real.safetensors"), table_of(checkpoint_tensors(**models, family=of)), family(of))

    assert parts["unet"].config["attention_head_dim"] == heads
    for role, (_, config) in TEXT[of].items():
        ours = parts[role].config
        assert ours["num_attention_heads"] == config.num_attention_heads
        assert ours["hidden_act"] == config.hidden_act
        assert ours["num_hidden_layers"] == config.num_hidden_layers


@pytest.fixture(scope="module", params=tiny_families.MODELS)
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    name = str(request.param)
    return name, tiny_families.write_family(tmp_path_factory.mktemp("families") / f"{name}.safetensors", name)


def parts_of(written: tuple[str, Path]) -> dict[str, Part]:
    name, path = written
    return checkpoint_parts(path, read_table(path), family(name))


def test_a_tiny_checkpoint_gives_back_the_very_weights(written: tuple[str, Path]) -> None:
    originals, parts = tiny_families.MODELS[written[0]](), parts_of(written)

    assert parts.keys() == originals.keys()
    for role, part in parts.items():
        state, theirs = load_part(part, device=CPU, dtype=torch.float32).state_dict(), originals[role].state_dict()
        assert state.keys() == theirs.keys()
        assert all(torch.equal(state[name], one) for name, one in theirs.items()), role


def test_a_loaded_text_encoder_reads_as_the_original(written: tuple[str, Path]) -> None:
    originals, tokens = tiny_families.MODELS[written[0]](), torch.arange(300, 377)[None]

    for role, part in parts_of(written).items():
        if role in TEXT_ROLES:
            ours = load_part(part, device=CPU, dtype=torch.float32)(tokens)
            torch.testing.assert_close(ours.last_hidden_state, originals[role](tokens).last_hidden_state)
            if "text_embeds" in ours:
                torch.testing.assert_close(ours.text_embeds, originals[role](tokens).text_embeds)


def test_openclip_names_mean_what_diffusers_converter_makes_of_them() -> None:
    models = tiny_families.refiner_models()
    tensors = checkpoint_tensors(**models, family="sdxl-refiner")
    encoder = models["text_encoder_2"]

    theirs = convert_open_clip_checkpoint(encoder, dict(tensors), prefix="conditioner.embedders.0.model.")

    ours = encoder.state_dict()
    assert theirs.keys() == ours.keys()
    assert all(torch.equal(theirs[name], one) for name, one in ours.items())


def test_the_layer_that_sd2_does_not_read_stays_in_the_file() -> None:
    tensors = checkpoint_tensors(**tiny_families.sd2_models(), family="sd2")

    part = checkpoint_parts(Path("x"), table_of(tensors), family("sd2"))["text_encoder"]

    held = {name.split("resblocks.")[1].partition(".")[0] for name in tensors if "resblocks." in name}

    assert (len(held), part.config["num_hidden_layers"]) == (4, 3)
    assert not any("resblocks.3." in piece.tensor for piece in part.keys.values())


def test_parameters_of_a_fused_tensor_have_their_own_shapes() -> None:
    models = tiny_families.sdxl_models()
    parts = checkpoint_parts(Path("x"), table_of(checkpoint_tensors(**models, family="sdxl")), family("sdxl"))

    modules = parts["text_encoder_2"].modules
    assert modules["text_model.encoder.layers.0.self_attn.k_proj"] == (16, 16)
    piece = parts["text_encoder_2"].keys["text_model.encoder.layers.0.self_attn.k_proj.weight"]
    assert (piece.tensor, piece.rows) == (
        "conditioner.embedders.1.model.transformer.resblocks.0.attn.in_proj_weight", (16, 32),
    )  # fmt: skip
