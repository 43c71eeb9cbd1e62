"""Every tool's name for every module of a real base; block by block."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from diffusers import UNet2DConditionModel

from inference.adapters.blocks import factors_of
from inference.adapters.targets import Spellings, Target, native_names
from inference.request import LoraUse
from inference.request.blocks import PRESETS, parse_blocks
from inference.weights.parts import Part
from modelhub.errors import BadValue
from tests import tables_loras as tables

SDXL = {
    "block_out_channels": (320, 640, 1280),
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
    "mid_block_type": "UNetMidBlock2DCrossAttn",
    "layers_per_block": 2,
    "transformer_layers_per_block": (1, 2, 10),
    "cross_attention_dim": 2048,
    "use_linear_projection": True,
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 256,
    "projection_class_embeddings_input_dim": 2816,
    "attention_head_dim": (5, 10, 20),
    "in_channels": 4,
    "out_channels": 4,
}


@pytest.fixture(scope="module")
def sdxl() -> Mapping[str, Part]:
    """The names of SDXL in real size, without a number."""
    with torch.device("meta"):
        unet = UNet2DConditionModel(**SDXL)
    shapes = {name: tuple(one.shape) for name, one in unet.state_dict().items()}
    texts = {
        role: {f"{name}.weight": size for name, size in tables.clip_modules(width, layers).items()}
        for role, width, layers in (("text_encoder", 768, 12), ("text_encoder_2", 1280, 32))
    }
    return {
        role: Part(role, "", SDXL if role == "unet" else {}, Path("x"), {}, held)
        for role, held in {"unet": shapes, **texts}.items()
    }


@pytest.fixture(scope="module")
def spellings(sdxl: Mapping[str, Part]) -> Spellings:
    return Spellings(sdxl)


UNET, TEXT, TEXT_2 = tables.sdxl_modules(), tables.clip_modules(), tables.clip_modules(1280, 32)
DIALECTS = {
    "kohya, Stability's names": tables.kohya(tables.ldm_named(UNET), TEXT, TEXT_2),
    "kohya, diffusers' names": tables.kohya(UNET, TEXT, TEXT_2),
    "peft": {
        **tables.under("unet.", UNET),
        **tables.under("text_encoder.", TEXT),
        **tables.under("text_encoder_2.", TEXT_2),
    },
    "raw peft": {**tables.under("base_model.model.", UNET), **tables.under("base_model.model.text_encoder_2.", TEXT_2)},
    "ComfyUI": {
        **tables.under("diffusion_model.", tables.ldm_named(UNET)),
        **tables.under("text_encoders.clip_l.transformer.", TEXT),
        **tables.under("text_encoders.clip_g.transformer.", TEXT_2),
    },
    "SimpleTuner": tables.spelled("lycoris_", UNET),
    "bare": UNET,
}  # fmt: skip


@pytest.mark.parametrize("modules", DIALECTS.values(), ids=DIALECTS)
def test_every_module_of_sdxl_is_found_once(
    spellings: Spellings, sdxl: Mapping[str, Part], modules: tables.Modules
) -> None:
    found = {name: spellings.find(name) for name in modules}

    assert [name for name, target in found.items() if target is None] == []
    assert len(set(found.values())) == len(modules)
    for name, target in found.items():
        assert target is not None
        assert sdxl[target.role].shapes[target.name][:2] == modules[name]


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("lora_unet_label_emb_0_0", Target("unet", "add_embedding.linear_1")),
        ("lora_unet_time_embed_2", Target("unet", "time_embedding.linear_2")),
        ("lora_unet_out_2", Target("unet", "conv_out")),
        ("lora_unet_input_blocks_3_0_op", Target("unet", "down_blocks.0.downsamplers.0.conv")),
        ("lora_unet_output_blocks_2_2_conv", Target("unet", "up_blocks.0.upsamplers.0.conv")),
        ("lora_unet_middle_block_0_in_layers_2", Target("unet", "mid_block.resnets.0.conv1")),
        ("lora_te3_text_model_encoder_layers_0_mlp_fc1", None),
        ("vae.decoder.conv_in", None),
    ],
)
def test_modules_outside_of_attention_have_stabilitys_names_too(
    spellings: Spellings, name: str, target: Target | None
) -> None:
    assert spellings.find(name) == target


def test_every_spelling_means_one_module(sdxl: Mapping[str, Part], spellings: Spellings) -> None:
    """Names with underscores are ambiguous in principle; none of these is."""
    native = native_names(sdxl["unet"])
    both = [*native, *(other for name, other in native.items() if other != name)]

    found = {spellings.find(f"lora_unet_{name.replace('.', '_')}") for name in both}

    assert found == {Target("unet", name) for name in native}
    assert len(set(native.values())) == len(native)


# Blocks


@pytest.mark.parametrize(("count", "first", "last"), [(12, "IN04", "OUT05"), (17, "IN01", "OUT11")])
def test_each_number_is_a_blocks(sdxl: Mapping[str, Part], count: int, first: str, last: str) -> None:
    numbers = [float(at + 2) for at in range(count)]

    factors = factors_of(numbers, sdxl)

    assert factors[Target("text_encoder", "text_model.encoder.layers.0.mlp.fc1")] == 2.0
    assert factors[Target("text_encoder_2", "text_model.encoder.layers.31.mlp.fc1")] == 2.0
    assert factors[Target("unet", "mid_block.attentions.0.proj_in")] == 2.0 + (5 if count == 12 else 7)
    assert factors[Target("unet", "down_blocks.1.attentions.0.proj_in")] == (3.0 if count == 12 else 5.0)
    assert Target("unet", "conv_out") not in factors
    assert factors[Target("unet", "conv_in")] == 0.0


def test_blocks_of_sdxl_reach_over_all_of_it(sdxl: Mapping[str, Part]) -> None:
    """The first block after the middle is OUT00, where most of SDXL's attention is."""
    only_out00 = [0.0] * 6 + [0.5] + [0.0] * 5

    factors = factors_of(only_out00, sdxl)

    kept = {target.module for target, factor in factors.items() if factor == 0.5}
    assert kept
    assert all(module.startswith("up_blocks.0.") for module in kept)
    assert "up_blocks.0.attentions.0.proj_in" in kept
    assert "up_blocks.0.attentions.1.proj_in" not in kept


def test_no_blocks_and_all_blocks_change_nothing(parts: Mapping[str, Part]) -> None:
    assert factors_of((), parts) == {}
    assert factors_of(PRESETS["ALL"], parts) == {}
    assert set(factors_of(PRESETS["NONE"], parts).values()) == {0.0}


WITH_ATTENTION = (0, 2, 3, 5, 6, 8, 9, 13, 17, 18, 19, 20, 21, 22, 23, 24, 25)
"""Which of the 26 are the 17."""


@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        ("INS", "11110000000000000"),
        ("IND", "00001110000000000"),
        ("INALL", "11111110000000000"),
        ("MIDD", "00001111111100000"),
        ("OUTD", "00000000111100000"),
        ("OUTS", "00000000000011111"),
        ("OUTALL", "00000000111111111"),
    ],
)
def test_presets_are_those_of_the_extension(name: str, numbers: str) -> None:
    """Its `lbwpresets.txt`, for the blocks that it names."""
    assert "".join(f"{PRESETS[name][at]:g}" for at in WITH_ATTENTION) == numbers


@pytest.mark.parametrize(
    ("text", "use"),
    [
        ("kip=0.8@INS", LoraUse(ref="kip", unet=0.8, text_encoder=0.8, blocks=PRESETS["INS"])),
        ("kip=0.8,0.5@ins", LoraUse(ref="kip", unet=0.8, text_encoder=0.5, blocks=PRESETS["INS"])),
        ("hf:o/r@main=1@" + ",".join("1" * 12), LoraUse(ref="hf:o/r@main", blocks=(1.0,) * 12)),
        ("civitai:1@2", LoraUse(ref="civitai:1@2", preferred=True)),
    ],
)
def test_blocks_follow_the_strengths(text: str, use: LoraUse) -> None:
    assert LoraUse.parse(text) == use


@pytest.mark.parametrize("text", ["IN", "1,0", "1," * 16 + "x", "1," * 16 + "nan", ""])
def test_what_is_no_strength_of_blocks_is_refused(text: str) -> None:
    with pytest.raises(BadValue, match="is no strength of blocks"):
        parse_blocks(text)


def test_a_request_counts_its_blocks() -> None:
    with pytest.raises(ValueError, match="blocks are counted as 12, 17, 20, 26, not 3"):
        LoraUse(ref="kip", blocks=(1, 2, 3))
