"""What the engine keeps loaded, and how it goes from one set of adapters to another."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from inference.engine import Engine
from inference.plan import ModelPlan, NamedModel, plan_adapter
from inference.weights.parts import Part
from inference.weights.single_file import checkpoint_parts
from modelhub.families import family
from modelhub.headers import read_table
from tests import tiny

TO_K = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k"
FC1 = "lora_te_text_model_encoder_layers_0_mlp_fc1"
MODULE = "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k"


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = Engine("cpu")
    yield engine
    engine.release()


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.write_checkpoint(tmp_path_factory.mktemp("other") / "other.safetensors", seed=1)


@pytest.fixture
def lora(tmp_path: Path) -> Path:
    return tiny.write_lora(tmp_path / "kip.safetensors", {TO_K: (8, 16), FC1: (32, 16)})


def plan_of(path: Path, *loras: Path, strength: float = 1.0) -> ModelPlan:
    parts: Mapping[str, Part] = checkpoint_parts(path, read_table(path), family("sd1"))
    adapters = tuple(plan_adapter(one, parts, name=one.stem, unet=strength, text_encoder=strength) for one in loras)
    return ModelPlan(family("sd1"), "epsilon", 64, parts, NamedModel(path.stem, ""), adapters=adapters)


def weight(models: Mapping[str, nn.Module]) -> Tensor:
    found: Tensor = models["unet"].get_submodule(MODULE).weight
    return found.clone()


def test_two_checkpoints_stay_loaded_side_by_side(engine: Engine, checkpoint: Path, other: Path) -> None:
    first, second = dict(engine.prepare(plan_of(checkpoint))), dict(engine.prepare(plan_of(other)))

    assert dict(engine.prepare(plan_of(checkpoint))) == first
    assert dict(engine.prepare(plan_of(other))) == second
    assert first.keys() == second.keys()
    assert all(first[role] is not second[role] for role in first)


def test_a_budget_of_nothing_keeps_what_is_drawn_with_alone(checkpoint: Path, other: Path) -> None:
    engine = Engine("cpu", memory=0)
    first = engine.prepare(plan_of(checkpoint))
    engine.prepare(plan_of(other))

    again = engine.prepare(plan_of(checkpoint))

    assert again["unet"] is not first["unet"]
    assert torch.equal(weight(again), weight(first))


def test_a_part_that_two_models_share_is_loaded_once(engine: Engine, checkpoint: Path, other: Path) -> None:
    plan, with_vae = plan_of(checkpoint), plan_of(other)
    mixed = replace(plan, parts={**plan.parts, "vae": with_vae.parts["vae"]})

    assert engine.prepare(mixed)["vae"] is engine.prepare(with_vae)["vae"]
    assert engine.prepare(mixed)["unet"] is engine.prepare(plan)["unet"]


def test_a_file_under_two_paths_is_one_model(engine: Engine, checkpoint: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.safetensors"
    link.hardlink_to(checkpoint)

    assert engine.prepare(plan_of(link))["unet"] is engine.prepare(plan_of(checkpoint))["unet"]


def test_adapters_come_and_go_and_leave_no_trace(engine: Engine, checkpoint: Path, lora: Path) -> None:
    base = weight(engine.prepare(plan_of(checkpoint)))
    full, half = plan_of(checkpoint, lora), plan_of(checkpoint, lora, strength=0.5)

    merged = weight(engine.prepare(full))
    halved = weight(engine.prepare(half))

    assert not torch.equal(merged, base)
    torch.testing.assert_close(halved - base, (merged - base) / 2)
    assert torch.equal(weight(engine.prepare(full)), merged)
    assert torch.equal(weight(engine.prepare(plan_of(checkpoint))), base)


def test_models_keep_adapters_of_their_own(engine: Engine, checkpoint: Path, other: Path, lora: Path) -> None:
    merged = engine.prepare(plan_of(checkpoint, lora))
    before = weight(merged)

    engine.prepare(plan_of(other))

    assert torch.equal(weight(merged), before)


def test_an_adapter_that_was_trained_on_is_merged_anew(engine: Engine, checkpoint: Path, lora: Path) -> None:
    before = weight(engine.prepare(plan_of(checkpoint, lora)))
    tiny.write_lora(lora, {TO_K: (8, 16), FC1: (32, 16)}, seed=5)

    assert not torch.equal(weight(engine.prepare(plan_of(checkpoint, lora))), before)


def test_adapters_change_also_where_inference_loaded_the_model(engine: Engine, checkpoint: Path, lora: Path) -> None:
    """Tensors that were made in inference mode could not be written to later."""
    with torch.inference_mode():
        engine.prepare(plan_of(checkpoint, lora))

    engine.prepare(plan_of(checkpoint, lora, strength=0.5))
    assert not any(one.is_inference() for one in engine.prepare(plan_of(checkpoint))["unet"].parameters())


def test_what_somebody_holds_outlives_its_release(engine: Engine, checkpoint: Path, lora: Path) -> None:
    models = engine.prepare(plan_of(checkpoint, lora))
    before = weight(models)

    engine.release()

    assert torch.equal(weight(models), before)
    assert engine.prepare(plan_of(checkpoint, lora))["unet"] is not models["unet"]
