"""IP-Adapters, T2I-Adapters, InstantID, AnimateDiff: as their authors publish them, and as diffusers builds them."""

from functools import cache
from typing import Any

import diffusers
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from modelhub.kinds import Kind
from tests import tables
from tests import tables_controls as made
from tests.cases import Case, facts_of, told, top_claims

BASE: tables.Shapes = {"proj.weight": (3072, 1024), "norm.weight": (768,)}
PLUS: tables.Shapes = {"latents": (1, 16, 768), "proj_in.weight": (768, 1280), "layers.0.0.to_q.weight": (768, 768)}
FACE: tables.Shapes = {"proj.0.weight": (1280, 1280), "proj.2.weight": (768, 1280), "proj.3.weight": (768,)}
FACEID: tables.Shapes = {"proj.0.weight": (1024, 512), "proj.2.weight": (3072, 1024), "norm.weight": (768,)}
FACEID_PLUS: tables.Shapes = {**FACEID, "perceiver_resampler.proj_in.weight": (768, 1280)}
INSTANT: tables.Shapes = {
    "latents": (1, 16, 1280),
    "proj_in.weight": (1280, 512),
    "layers.0.0.to_q.weight": (1280, 1280),
}
XLABS: tables.Shapes = {
    "ip_adapter_proj_model.proj.weight": (16384, 768),
    "double_blocks.0.processor.ip_adapter_double_stream_k_proj.weight": (3072, 4096),
}


def of(algorithm: str, family: str | None, **more: object) -> dict[str, object]:
    return {"kind": "adapter", "algorithm": algorithm, "family": family, **more}


CASES = {
    "ip-adapter, sd1": Case(
        made.ip_adapter(BASE), of("ip-adapter", "sd1", format="safetensors/ip-adapter", context_width=768)
    ),
    "ip-adapter, sd2": Case(made.ip_adapter(BASE, 1024), of("ip-adapter", "sd2")),
    "ip-adapter, sdxl": Case(made.ip_adapter(BASE, 2048), of("ip-adapter", "sdxl", context_width=2048)),
    "ip-adapter plus, sd1": Case(made.ip_adapter(PLUS), of("ip-adapter-plus", "sd1")),
    "ip-adapter plus, sdxl": Case(made.ip_adapter(PLUS, 2048), of("ip-adapter-plus", "sdxl")),
    "ip-adapter full face": Case(made.ip_adapter(FACE), of("ip-adapter-full-face", "sd1")),
    "ip-adapter faceid with its lora": Case(made.ip_adapter(FACEID, lora=True), of("ip-adapter-faceid", "sd1")),
    "ip-adapter faceid, sdxl": Case(made.ip_adapter(FACEID, 2048), of("ip-adapter-faceid", "sdxl")),
    "ip-adapter faceid plus": Case(made.ip_adapter(FACEID_PLUS, lora=True), of("ip-adapter-faceid-plus", "sd1")),
    "ip-adapter, flux, InstantX": Case(
        made.ip_adapter(FACEID, 4096, first=0, rows=3072), of("ip-adapter", "flux1", context_width=None)
    ),
    "ip-adapter, flux, XLabs": Case(XLABS, of("ip-adapter", "flux1", format="safetensors/xlabs")),
    "ip-adapter of nobody's width": Case(made.ip_adapter(BASE, 128), of("ip-adapter", None, context_width=128)),
    "instantid": Case(made.ip_adapter(INSTANT, 2048), of("instantid", "sdxl")),
    "t2i-adapter, coloured": Case(made.t2i_adapter(), of("t2i-adapter", "sd1", format="safetensors/native")),
    "t2i-adapter, gray": Case(made.t2i_adapter(64), of("t2i-adapter", "sd1")),
    "t2i-adapter, sdxl": Case(made.t2i_adapter(768), of("t2i-adapter", "sdxl")),
    "t2i-adapter, sdxl, gray": Case(made.t2i_adapter(256), of("t2i-adapter", "sdxl")),
    "t2i-adapter, nested": Case(made.under("adapter.", made.t2i_adapter()), of("t2i-adapter", "sd1")),
    "t2i-adapter, light": Case(made.t2i_light(), of("t2i-adapter-light", "sd1")),
    "t2i-adapter, style": Case(made.t2i_style(), of("t2i-adapter-style", "sd1")),
    "animatediff, sd1": Case(made.motion_module(), of("animatediff", "sd1")),
    "animatediff, sdxl": Case(made.motion_module(3), of("animatediff", "sdxl")),
}
BUILT: dict[str, tuple[dict[str, Any], dict[str, object]]] = {
    "sd1": ({"adapter_type": "full_adapter"}, of("t2i-adapter", "sd1")),
    "sd1, gray": ({"adapter_type": "full_adapter", "in_channels": 1}, of("t2i-adapter", "sd1")),
    "sd1, light": ({"adapter_type": "light_adapter"}, of("t2i-adapter-light", "sd1")),
    "sdxl": ({"adapter_type": "full_adapter_xl", "downscale_factor": 16}, of("t2i-adapter", "sdxl")),
}


@cache
def built(which: str) -> Case:
    """A T2I-Adapter as diffusers saves it."""
    sizes, expected = BUILT[which]
    with torch.device("meta"):
        model = diffusers.T2IAdapter(**sizes)
    shapes = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    return Case(shapes, expected | {"format": "safetensors/diffusers"})


@pytest.mark.parametrize("which", BUILT)
def test_a_t2i_adapter_of_diffusers_is_what_it_was_built_as(which: str) -> None:
    assert told(built(which)) == built(which).expected
    assert [facts.kind for facts in top_claims(built(which))] == [Kind.ADAPTER]


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_an_adapter_is_what_it_is_known_to_be(case: Case) -> None:
    assert told(case) == case.expected


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_one_kind_claims_an_adapter(case: Case) -> None:
    assert [facts.kind for facts in top_claims(case)] == [Kind.ADAPTER]


NAMES = ("image_proj.proj.weight", "image_proj.norm.weight", "image_proj.latents", "image_proj.proj_in.weight")
MORE = ("ip_adapter.1.to_k_ip.weight", "body.0.block1.weight", "conv_in.weight", "style_embedding", "proj")


@given(st.dictionaries(st.sampled_from(NAMES + MORE), st.lists(st.integers(0, 4096), max_size=5).map(tuple)))
def test_no_shapes_are_so_strange_that_identifying_an_adapter_fails(shapes: tables.Shapes) -> None:
    assert isinstance(facts_of(Case(shapes, {})).kind, Kind)
