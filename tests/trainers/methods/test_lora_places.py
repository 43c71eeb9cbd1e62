"""Which layers learn, how many numbers that is, and what blocks are given."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from inference.weights.parts import TEXT_ENCODER, TEXT_ENCODER_2, UNET, Part, Weights
from inference.weights.single_file import checkpoint_parts, part_in
from modelhub.errors import BadValue
from modelhub.families import family
from tests import architectures, tables
from tests.trainers.methods.loras import options, recipe
from trainers.methods._lora.places import Place, places
from trainers.methods._rates import rates


@pytest.fixture(scope="module")
def sd15() -> Mapping[str, Part]:
    """In its real size, without memory."""
    return checkpoint_parts(Path("sd15.safetensors"), tables.table(tables.ldm_checkpoint()), family("sd1"))


@pytest.fixture(scope="module")
def sdxl(sd15: Mapping[str, Part]) -> Mapping[str, Part]:
    """Its UNet, and text encoders of any size."""
    table = tables.table(architectures.unet("sdxl"))
    unet = part_in(Weights(Path("sdxl.safetensors"), table), family("sdxl"), UNET)
    return {UNET: unet, TEXT_ENCODER: sd15[TEXT_ENCODER], TEXT_ENCODER_2: sd15[TEXT_ENCODER]}


def count(found: list[Place]) -> float:
    """Millions of numbers in their factors."""
    sizes = (place.rank * (place.shape[0] + _columns(place.shape)) for place in found)
    return round(sum(sizes) / 1e6, 2)


def _columns(shape: tuple[int, ...]) -> int:
    columns = 1
    for side in shape[1:]:
        columns *= side
    return columns


def test_kohya_trains_192_layers_of_sd15s_unet_and_72_of_its_text_encoder(sd15: Mapping[str, Part]) -> None:
    found = places(sd15, options(), [UNET, TEXT_ENCODER])

    assert sum(place.target.role == UNET for place in found) == 192
    assert sum(place.target.role == TEXT_ENCODER for place in found) == 72


def test_the_layers_are_those_of_a_kohya_file(sd15: Mapping[str, Part]) -> None:
    kohya = {key.partition(".")[0] for key in tables.kohya_lora()}

    assert {place.name for place in places(sd15, options(), [UNET, TEXT_ENCODER])} == kohya


@pytest.mark.parametrize(
    ("base", "layers", "rank", "millions"),
    [
        ("sd15", "attention", 16, 3.19),
        ("sd15", "transformer", 16, 6.78),
        ("sd15", "transformer", 128, 54.26),
        ("sdxl", "attention", 16, 23.22),
        ("sdxl", "transformer", 16, 42.56),
    ],
)
def test_as_many_numbers_learn_as_in_other_trainers(
    request: pytest.FixtureRequest, base: str, layers: str, rank: int, millions: float
) -> None:
    parts = request.getfixturevalue(base)

    assert count(places(parts, options(rank=rank, layers=layers), [UNET])) == millions


def test_a_rank_for_convolutions_adds_all_between_the_transformers(sd15: Mapping[str, Part]) -> None:
    plain = places(sd15, options(), [UNET])

    found = places(sd15, options(rank=8, conv_rank=4, conv_alpha=1), [UNET])

    added = {place.target.module: place for place in found[:] if place.target not in {one.target for one in plain}}
    assert {name.rsplit(".", 1)[-1] for name in added} == {"conv", "conv1", "conv2", "conv_shortcut", "time_emb_proj"}
    assert len(added) == 22 * 3 + 14 + 3 + 3
    for name, place in added.items():
        assert (place.rank, place.alpha) == ((8, 4) if name.endswith(("shortcut", "proj")) else (4, 1))


def test_sdxls_unet_is_called_as_stability_does_and_its_text_encoders_are_numbered(sdxl: Mapping[str, Part]) -> None:
    names = {place.name for place in places(sdxl, options(), [UNET, TEXT_ENCODER, TEXT_ENCODER_2])}

    assert "lora_unet_input_blocks_4_1_transformer_blocks_0_attn1_to_q" in names
    assert "lora_unet_output_blocks_5_1_proj_out" in names
    assert "lora_te1_text_model_encoder_layers_0_self_attn_q_proj" in names
    assert "lora_te2_text_model_encoder_layers_11_mlp_fc2" in names


def test_blocks_have_their_own_rank_strength_and_pace(sd15: Mapping[str, Part]) -> None:
    wanted = options(rank=8, block_ranks={"IN04": 32, "M00": 0}, block_alphas={"IN04": 4}, block_rates={"OUT03": 0.5})

    by_block = {place.block: place for place in places(sd15, wanted, [UNET])}

    assert (by_block["IN04"].rank, by_block["IN04"].alpha) == (32, 4)
    assert (by_block["IN05"].rank, by_block["IN05"].alpha) == (8, 4)
    assert by_block["OUT03"].rate == 0.5
    assert "M00" not in by_block


@pytest.mark.parametrize("entries", [{"block_rates": {"M00": 0}}, {"block_ranks": {"M00": 0}, "conv_rank": 4}])
def test_a_block_of_0_is_left_out(sd15: Mapping[str, Part], entries: Mapping[str, Any]) -> None:
    assert all(place.block != "M00" for place in places(sd15, options(**entries), [UNET]))


@pytest.mark.parametrize(
    ("entries", "told"),
    [({"block_ranks": {"IN4": 8}}, "IN4 is no block of a UNet"), ({"block_rates": {"M00": -1}}, "M00 is -1: write 0")],
)
def test_what_no_base_has_is_refused_by_the_recipe_itself(entries: Mapping[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        options(**entries)


def test_blocks_that_leave_nothing_are_refused(sd15: Mapping[str, Part]) -> None:
    blocks = {place.block for place in places(sd15, options(), [UNET])}

    with pytest.raises(BadValue, match="leave no layer to train"):
        places(sd15, options(block_ranks=dict.fromkeys(blocks, 0)), [UNET])


def test_a_rank_that_is_stabilised_shows_in_the_alpha(sd15: Mapping[str, Part]) -> None:
    place = places(sd15, options(rank=16, alpha=8, rank_stabilized=True), [UNET])[0]

    assert place.alpha / place.rank == 8 / 16**0.5


def test_each_text_encoder_has_its_rate_and_0_leaves_it_out(sdxl: Mapping[str, Part]) -> None:
    wanted = recipe(text=3e-5)

    assert rates(wanted, sdxl) == {UNET: 5e-4, TEXT_ENCODER: 3e-5, TEXT_ENCODER_2: 3e-5}
    second = wanted.model_copy(update={"second_text_encoder_learning_rate": 0.0})
    assert rates(second, sdxl) == {UNET: 5e-4, TEXT_ENCODER: 3e-5}
