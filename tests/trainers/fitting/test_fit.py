"""What a base cannot do of a recipe is told from its header, before a picture is read or a cache is built."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from torch import nn

from inference.adapters.nets import activation
from modelhub.catalog import Catalog
from modelhub.errors import BadValue, Incompatible, ModelHubError
from modelhub.workspace import Workspace
from tests import tiny
from trainers.fitting.layers import _ACTIVATIONS
from trainers.plan import plan_training
from trainers.recipe import parse_recipe

PREVIEW = {"every": 1, "prompts": ("kip",)}
REFUSED: tuple[tuple[dict[str, Any], type[ModelHubError], str, str], ...] = (
    (
        {"options": {"block_ranks": {"IN11": 4}}}, BadValue,
        "block_ranks: tiny has no block IN11; there is IN01", "modelhub train blocks tiny",
    ),
    ({"options": {"block_alphas": {"OUT11": 4}}}, BadValue, "block_alphas: tiny has no block OUT11", "train blocks"),
    ({"options": {"block_rates": {"IN09": 0}}}, BadValue, "block_rates: tiny has no block IN09", "train blocks"),
    (
        {"options": {"layers": "attention", "block_rates": {"IN01": 0, "OUT02": 0, "OUT03": 0, "M00": 0}},
         "text_encoder_learning_rate": 0.0}, BadValue, "leave no layer to train", "give a block a rank",
    ),
    ({"second_text_encoder_learning_rate": 1e-4}, Incompatible, "tiny has one text encoder", "leave it out"),
    ({"clip_skip": 3}, BadValue, "clip skip 3 passes over the whole text encoder", ""),
    ({"base": "says-v", "prediction": "epsilon"}, Incompatible, "says that it predicts v, the recipe", "leave"),
    ({"noise": {"zero_terminal_snr": True}}, BadValue, "needs a base that predicts v", "zero_terminal_snr = false"),
    ({"loss": {"scale_v_like_noise": True}}, BadValue, "there is no loss of v to scale", "scale_v_like_noise = false"),
    ({"loss": {"debiased": True}, "prediction": "flow"}, BadValue, "debiased weights are for noise", "debiased"),
    ({"noise": {"largest_timestep": 1001}}, BadValue, "timesteps below 1000; .* asks for 1000", "within 0 and 1000"),
    ({"noise": {"distribution": "heavy_tail", "scale": 2}}, BadValue, "at most 1.75, not 2", "scale = 1.29"),
    ({"noise": {"distribution": "sigmoid", "scale": 1e4}}, BadValue, "noise.scale 10000 is a step", "scale = 10"),
    (
        {"noise": {"distribution": "inverted_parabola", "bias": 9}}, BadValue, "top 9 beside the middle", "bias = 0",
    ),
    ({"options": {"pivotal": {"token": " "}}}, BadValue, "token ' ' is nothing that a text", "choose another"),
    ({"method": "textual_inversion", "options": {"token": "\n"}}, BadValue, "is nothing that a text", "choose another"),
    ({"trigger": "  "}, BadValue, "trigger '  ' is nothing that a text encoder reads", "choose another word"),
    ({"method": "hypernetwork", "options": {"activation": "foo"}}, BadValue, "no activation 'foo'", "linear, relu"),
    ({"method": "hypernetwork", "options": {"structure": (1, 0.1, 1)}}, BadValue, "0.1 of 8 columns", "write 0.125"),
    ({"preview": {**PREVIEW, "prompts": ("a <hypernet:x:1>",)}}, BadValue, "no other network", "leave out <"),
    ({"preview": {**PREVIEW, "prompts": ("a <lyco:x:1>",)}}, BadValue, "no other network", "leave out <"),
    ({"preview": {**PREVIEW, "prompts": ("a <foo:x>",)}}, BadValue, "the kind 'foo'", "write <lora:NAME>"),
    ({"preview": {**PREVIEW, "sampling_steps": 1001}}, BadValue, "preview.sampling_steps", "entries preview.sampling"),
    ({"preview": {**PREVIEW, "cfg": -1.0}}, BadValue, "preview.cfg: .* greater than or equal to 0", "preview.cfg"),
    ({"preview": {**PREVIEW, "seed": 1 << 32}}, BadValue, "preview.seed: .* less than", "entries preview.seed"),
)  # fmt: skip
FITS: tuple[dict[str, Any], ...] = (
    {"options": {"block_ranks": {"IN00": 4, "M00": 0}}},
    {"options": {"start": None, "algorithm": "oft"}},
    {"base": "says-v", "noise": {"zero_terminal_snr": True}, "loss": {"scale_v_like_noise": True}},
    {"base": "says-v", "prediction": "epsilon", "method": "full"},
    {"prediction": "v"},
    {"preview": {**PREVIEW, "prompts": ("a (kip:1.2) AND b", "")}},
    {"method": "hypernetwork", "options": {"structure": (1, 0.125, 1), "activation": "relu"}},
)


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory, checkpoint: Path) -> Iterator[Catalog]:
    folder = tmp_path_factory.mktemp("fit")
    told = {"modelspec.prediction_type": "v"}
    with Catalog.create(Workspace(folder)) as opened:
        opened.add(checkpoint, name="tiny")
        opened.add(tiny.write_checkpoint(folder / "v.safetensors", 1, **told), name="says-v")
        yield opened


def plan(catalog: Catalog, entries: dict[str, Any]) -> None:
    """Of a folder that is not there: what the base cannot do is told before that."""
    fields = {"base": "tiny", "name": "kip", "steps": 1, "dataset": {"images": Path("nowhere")}, **entries}
    plan_training(parse_recipe(fields, "here"), catalog)


@pytest.mark.parametrize(("entries", "kind", "told", "mend"), REFUSED, ids=[str(one[0]) for one in REFUSED])
def test_what_the_base_cannot_do_is_refused_by_its_header(
    catalog: Catalog, entries: dict[str, Any], kind: type[ModelHubError], told: str, mend: str
) -> None:
    with pytest.raises(kind, match=told) as caught:
        plan(catalog, entries)

    assert mend in str(caught.value.mend)


@pytest.mark.parametrize("entries", FITS, ids=str)
def test_what_the_base_can_do_comes_as_far_as_its_pictures(catalog: Catalog, entries: dict[str, Any]) -> None:
    with pytest.raises(ModelHubError, match="nowhere"):
        plan(catalog, entries)


def test_all_activations_that_leave_a_width_as_it_is_are_known() -> None:
    from contextlib import suppress

    import torch

    found = set()
    for name in (*nn.modules.activation.__all__, "linear", "swish"):
        with suppress(Incompatible, TypeError, RuntimeError, ValueError, IndexError):
            if activation(name.lower())(torch.zeros(2, 3, 4)).shape == (2, 3, 4):
                found.add(name.lower())

    assert set(_ACTIVATIONS) == found - {"softmax2d"}
