"""ControlNets of every kind: as diffusers builds them without memory, and as others publish them."""

import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import diffusers
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from modelhub.identify import identify
from modelhub.kinds import Kind
from tests import tables
from tests import tables_controls as made
from tests.cases import Case, facts_of, told, top_claims

XL = {
    "cross_attention_dim": 2048,
    "block_out_channels": (320, 640, 1280),
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    "transformer_layers_per_block": (1, 2, 10),
    "use_linear_projection": True,
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 256,
    "projection_class_embeddings_input_dim": 2816,
}
MID = XL | {
    "down_block_types": ("DownBlock2D", "DownBlock2D", "CrossAttnDownBlock2D"),
    "transformer_layers_per_block": 1,
}
SMALL = XL | {"down_block_types": ("DownBlock2D",) * 3, "transformer_layers_per_block": 1}
FLUX = {"num_layers": 1, "num_single_layers": 1}
SD3 = {"num_layers": 1, "num_attention_heads": 24, "caption_projection_dim": 1536, "pooled_projection_dim": 2048}
Z_IMAGE = {"control_layers_places": [0, 5], "control_in_dim": 16, "control_refiner_layers_places": [0]}


def of(algorithm: str, family: str | None, **more: object) -> dict[str, object]:
    return {"kind": "controlnet", "algorithm": algorithm, "family": family, **more}


BUILT: dict[str, tuple[str, dict[str, Any], dict[str, object]]] = {
    "sd1": ("ControlNetModel", {"cross_attention_dim": 768}, of("controlnet", "sd1", context_width=768, variant=None)),
    "sd2": ("ControlNetModel", {"cross_attention_dim": 1024, "use_linear_projection": True}, of("controlnet", "sd2")),
    "sdxl": ("ControlNetModel", XL, of("controlnet", "sdxl", context_width=2048, variant=None)),
    "sdxl, mid": ("ControlNetModel", MID, of("controlnet", "sdxl", variant="mid")),
    "sdxl, small": ("ControlNetModel", SMALL, of("controlnet", "sdxl", variant="small")),
    "sdxl, union": ("ControlNetUnionModel", XL, of("union", "sdxl", variant=None)),
    "sdxl, union promax": ("ControlNetUnionModel", XL | {"num_control_type": 8}, of("union", "sdxl", variant="promax")),
    "sparse": ("SparseControlNetModel", {"cross_attention_dim": 768}, of("sparsectrl", "sd1")),
    "sparse, of a sketch": (
        "SparseControlNetModel",
        {"cross_attention_dim": 768, "use_simplified_condition_embedding": False},
        of("sparsectrl", "sd1"),
    ),
    "flux": ("FluxControlNetModel", FLUX, of("controlnet", "flux1", context_width=None)),
    "flux, union": ("FluxControlNetModel", FLUX | {"num_mode": 10}, of("union", "flux1")),
    "sd3": ("SD3ControlNetModel", SD3, of("controlnet", "sd3", variant=None)),
    "sd3, inpainting": (
        "SD3ControlNetModel",
        SD3 | {"extra_conditioning_channels": 1},
        of("controlnet", "sd3", variant="inpaint"),
    ),
    "qwen": ("QwenImageControlNetModel", {"num_layers": 1}, of("controlnet", "qwen-image", variant=None)),
    "qwen, inpainting": (
        "QwenImageControlNetModel",
        {"num_layers": 1, "extra_condition_channels": 4},
        of("controlnet", "qwen-image", variant="inpaint"),
    ),
    "z-image": ("ZImageControlNetModel", Z_IMAGE, of("controlnet", "z-image")),
}
"""Name -> class of diffusers, its sizes, what is known."""
PUBLISHED = {
    "ldm, sd1": Case(
        made.under("control_model.", made.ldm_controlnet()),
        of("controlnet", "sd1", format="safetensors/ldm", context_width=768),
    ),
    "ldm, without its prefix": Case(made.ldm_controlnet(), of("controlnet", "sd1", format="safetensors/ldm")),
    "ldm, sd2": Case(made.ldm_controlnet(1024), of("controlnet", "sd2", context_width=1024)),
    "ldm, with the base": Case(made.controlled_checkpoint(), of("controlnet", "sd1")),
    "ldm, less the base": Case(
        made.under("control_model.", made.ldm_controlnet()) | {"difference": ()},
        of("difference", "sd1"),
    ),
    "control-lora, sdxl": Case(made.control_lora(), of("control-lora", "sdxl", context_width=2048)),
    "control-lora, sd2": Case(made.control_lora(1024), of("control-lora", "sd2")),
    "flux, xlabs": Case(made.flux_controlnet(), of("xlabs", "flux1")),
    "flux, mistoline": Case(made.flux_controlnet("controlnet_blocks.0.linear"), of("mistoline", "flux1")),
    "lllite, sdxl": Case(made.lllite(), of("lllite", "sdxl", format="safetensors/kohya")),
    "lllite, anima": Case(made.lllite("lllite_dit_blocks_0_self_attn_q_proj"), of("lllite", "anima")),
    "sparse, animatediff's": Case(
        {"controlnet_down_blocks.0.weight": (320, 320, 1, 1), "conv_in.weight": (320, 4, 3, 3)} | made.motion_module(),
        of("sparsectrl", "sd1"),
    ),
    "narrow, of nobody": Case(made.ldm_controlnet(128), of("controlnet", None, context_width=128)),
    "narrow, by its header": Case(
        made.ldm_controlnet(128), of("controlnet", "sd1"), {"modelspec.architecture": "stable-diffusion-v1/controlnet"}
    ),
    "of a transformer that nobody knows": Case({"controlnet_blocks.0.weight": (64, 64)}, of("controlnet", None)),
}
CASES = PUBLISHED


def on_meta(make: Callable[[], Any]) -> Any:
    with torch.device("meta"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return make()


@cache
def built(which: str) -> Case:
    name, sizes, expected = BUILT[which]
    model = on_meta(lambda: getattr(diffusers, name)(**sizes))
    shapes = {key: tuple(tensor.shape) for key, tensor in model.state_dict().items()}
    return Case(shapes, expected | {"format": "safetensors/diffusers"})


@pytest.mark.parametrize("which", BUILT)
def test_a_controlnet_of_diffusers_is_what_it_was_built_as(which: str) -> None:
    assert told(built(which)) == built(which).expected


@pytest.mark.parametrize("which", BUILT)
def test_one_kind_claims_a_controlnet_of_diffusers(which: str) -> None:
    assert [facts.kind for facts in top_claims(built(which))] == [Kind.CONTROLNET]


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_published_controlnet_is_what_it_is_known_to_be(case: Case) -> None:
    assert told(case) == case.expected


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_one_kind_claims_a_published_controlnet(case: Case) -> None:
    assert [facts.kind for facts in top_claims(case)] == [Kind.CONTROLNET]


@pytest.mark.parametrize(
    "shapes", [tables.ldm_unet(), tables.ldm_checkpoint(), tables.diffusers_unet(), tables.kohya_lora()]
)
def test_a_base_is_no_controlnet(shapes: tables.Shapes) -> None:
    assert facts_of(Case(shapes, {})).kind is not Kind.CONTROLNET


def test_the_first_half_of_a_unet_alone_is_no_controlnet() -> None:
    assert facts_of(Case({"input_blocks.0.0.weight": (320, 4, 3, 3)}, {})).kind is Kind.UNKNOWN


def test_a_pipeline_is_more_than_the_controlnet_within_it() -> None:
    table = tables.table(made.under("controlnet.", made.ldm_controlnet()))
    assert identify(table, name="x").kind is Kind.CONTROLNET
    assert identify(replace(table, container="diffusers"), name="x").kind is not Kind.CONTROLNET


NAMES = ("controlnet_blocks.0.weight", "zero_convs.0.0.weight", "input_hint_block.0.weight", "input_blocks.0.0.weight")
MORE = (
    "controlnet_cond_embedding.conv_in.weight",
    "lora_controlnet",
    "x.attn2.to_k.down",
    "lllite_unet_",
    "conv_in.weight",
    "attn2.to_k.weight",
    "task_embedding",
)


@given(
    st.dictionaries(
        st.sampled_from(NAMES + MORE),
        st.lists(st.integers(0, 4096), max_size=5).map(tuple),
    )
)
def test_no_shapes_are_so_strange_that_identifying_a_controlnet_fails(shapes: tables.Shapes) -> None:
    assert isinstance(facts_of(Case(shapes, {})).kind, Kind)
