"""Checkpoints out of checkpoints, VAEs and LoRAs, and LoRAs out of checkpoints: on real files, through the catalog."""

import json
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor

from inference.engine import Engine
from inference.generate import generate
from inference.merging.extract import ExtractRecipe, extract, low_rank
from inference.merging.merge import merge
from inference.merging.recipe import MergeRecipe, Method
from inference.plan import resolve
from inference.request import GenerationRequest, LoraUse
from inference.weights.save import save_tensors
from modelhub.catalog import Catalog
from modelhub.errors import Incompatible, NameTaken
from modelhub.jobs import Done, Job
from modelhub.kinds import Artifact, Kind
from modelhub.workspace import Workspace
from tests import tiny

TO_K = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k"
FC1 = "lora_te_text_model_encoder_layers_0_mlp_fc1"


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Catalog]:
    with Catalog.create(Workspace(tmp_path)) as catalog:
        for seed, name in enumerate("abc"):
            catalog.add(tiny.write_checkpoint(tmp_path / f"{name}.safetensors", seed=seed))
        catalog.add(tiny.write_vae(tmp_path / "soft.safetensors", seed=7))
        catalog.add(tiny.write_lora(tmp_path / "kip.safetensors", {TO_K: (8, 16), FC1: (32, 16)}))
        yield catalog


def drain(job: Job[Any]) -> Any:
    last = list(job)[-1]
    assert isinstance(last, Done)
    return last.result


def merged(shelf: Catalog, **said: object) -> tuple[Artifact, dict[str, Tensor]]:
    artifact: Artifact = drain(merge(MergeRecipe.model_validate({"a": "a", **said}), catalog=shelf))
    return artifact, held(shelf, artifact.name)


def held(shelf: Catalog, name: str) -> dict[str, Tensor]:
    tensors: dict[str, Tensor] = load_file(shelf.resolve(name).path)
    return tensors


def test_a_weighted_sum_is_written_named_catalogued_and_knows_its_parents(shelf: Catalog) -> None:
    artifact, tensors = merged(shelf, b="b", method="weighted-sum", multiplier=0.25)

    a, b = held(shelf, "a"), held(shelf, "b")
    assert tensors.keys() == a.keys()
    for name, tensor in tensors.items():
        torch.testing.assert_close(tensor, torch.lerp(a[name].float(), b[name].float(), 0.25).to(a[name].dtype))
    assert (artifact.name, artifact.facts.kind, artifact.facts.family) == ("0.75(a) + 0.25(b)", Kind.CHECKPOINT, "sd1")
    run = shelf.lineage(artifact.id).made_by
    assert run
    assert {role: shelf.artifact(number).name for role, number in run.inputs} == {"a": "a", "b": "b"}
    with safe_open(artifact.path, "pt") as file:
        said = json.loads(file.metadata()["sd_merge_recipe"])
    assert (said["interp_method"], said["multiplier"]) == ("Weighted sum", 0.25)


def test_a_difference_is_added(shelf: Catalog) -> None:
    _, tensors = merged(shelf, b="b", c="c", method="add-difference", multiplier=0.5)

    a, b, c = (held(shelf, name) for name in "abc")
    for name, tensor in tensors.items():
        torch.testing.assert_close(
            tensor, (a[name].float() + 0.5 * (b[name].float() - c[name].float())).to(tensor.dtype)
        )


def test_what_was_merged_draws(shelf: Catalog, tmp_path: Path) -> None:
    artifact, _ = merged(shelf, b="b", method="weighted-sum")
    request = GenerationRequest(prompt="a cat", model=str(artifact.id), steps=1, seed=1, width=64, height=64)

    (picture,) = drain(generate(request, catalog=shelf, engine=Engine("cpu"), out=tmp_path / "out"))

    assert picture.image.size == (64, 64)


def test_baked_in_loras_and_vae_draw_as_they_do_put_in(shelf: Catalog) -> None:
    lora = LoraUse(ref="kip", unet=0.7, text_encoder=0.4)
    artifact, _ = merged(shelf, loras=[lora], vae="soft")
    engine = Engine("cpu")

    put_in = engine.prepare(resolve(GenerationRequest(prompt="", model="a", vae="soft", loras=(lora,)), shelf).base)
    wanted = {role: {k: v.clone() for k, v in one.state_dict().items()} for role, one in put_in.items()}
    baked = engine.prepare(resolve(GenerationRequest(prompt="", model=str(artifact.id)), shelf).base)

    for role, state in wanted.items():
        for name, tensor in baked[role].state_dict().items():
            torch.testing.assert_close(tensor, state[name], rtol=0, atol=0, msg=f"{role} {name}")
    run = shelf.lineage(artifact.id).made_by
    assert run
    assert {role for role, _ in run.inputs} == {"a", "lora", "vae"}


def test_half_precision_and_left_out_tensors_make_it_smaller(shelf: Catalog) -> None:
    _, tensors = merged(shelf, half=True, discard=r"^first_stage_model\.encoder\.")

    assert {tensor.dtype for tensor in tensors.values() if tensor.is_floating_point()} == {torch.float16}
    assert not any(name.startswith("first_stage_model.encoder.") for name in tensors)
    assert any(name.startswith("first_stage_model.decoder.") for name in tensors)


def test_models_of_other_sizes_are_refused_before_anything_is_written(shelf: Catalog, tmp_path: Path) -> None:
    wide = shelf.add(tiny.write_checkpoint(tmp_path / "wide.safetensors", width=32))

    with pytest.raises(Incompatible, match=r"is 16x16 in a and .* in wide|is .* in a and .* in wide"):
        drain(merge(MergeRecipe(a="a", b=str(wide.id), method=Method.WEIGHTED_SUM), catalog=shelf))
    assert not (tmp_path / "models").exists()


def test_a_taken_name_is_refused_first(shelf: Catalog) -> None:
    with pytest.raises(NameTaken):
        drain(merge(MergeRecipe(a="a", half=True), catalog=shelf, name="b"))


def test_a_stopped_merge_leaves_no_file(shelf: Catalog, tmp_path: Path) -> None:
    job = merge(MergeRecipe(a="a", b="b", method=Method.WEIGHTED_SUM), catalog=shelf, name="ab")
    next(job)
    assert isinstance(job, Generator)
    job.close()

    assert [path for path in (tmp_path / "models").rglob("*") if path.is_file()] == []
    run = shelf.last_run("merge")
    assert run
    assert run.state == "interrupted"


def test_a_lora_of_full_rank_taken_out_gives_the_tuned_model_back(shelf: Catalog) -> None:
    artifact = drain(extract(ExtractRecipe(tuned="b", base="a", rank=512), catalog=shelf, name="diff"))

    assert (artifact.facts.kind, artifact.facts.family) == (Kind.LORA, "sd1")
    engine = Engine("cpu")
    use = LoraUse(ref="diff")
    near = engine.prepare(resolve(GenerationRequest(prompt="", model="a", loras=(use,)), shelf).base)["unet"]
    tuned = Engine("cpu").prepare(resolve(GenerationRequest(prompt="", model="b"), shelf).base)["unet"]
    name = "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight"
    for each in (name, "conv_in.weight"):
        torch.testing.assert_close(near.state_dict()[each], tuned.state_dict()[each], rtol=0, atol=2e-3)


def test_equal_models_hold_no_lora(shelf: Catalog, tmp_path: Path) -> None:
    with pytest.raises(Incompatible, match="do not differ"):
        drain(extract(ExtractRecipe(tuned="a", base="a"), catalog=shelf, name="none"))
    assert not (tmp_path / "models" / "lora").exists()


@pytest.mark.parametrize("shape", [(40, 30), (200, 160)])
def test_low_rank_is_the_nearest_of_its_rank(shape: tuple[int, int]) -> None:
    """Eckart and Young: the error is the root of the sum of the squares of the singular values left out."""
    torch.manual_seed(0)
    delta = torch.randn(shape[0], 8) @ torch.randn(8, shape[1]) + 0.01 * torch.randn(shape)

    up, down = low_rank(delta, 8)

    best = torch.linalg.svdvals(delta)[8:].square().sum().sqrt()
    assert up.shape == (shape[0], 8)
    assert torch.linalg.norm(delta - up @ down) <= best * 1.01


def test_what_is_no_fine_tuning_is_refused(shelf: Catalog, tmp_path: Path) -> None:
    shelf.add(tiny.write_checkpoint(tmp_path / "wide.safetensors", width=32))
    with pytest.raises(Incompatible, match="no fine-tuning of a"):
        drain(extract(ExtractRecipe(tuned="wide", base="a"), catalog=shelf, name="none"))


def test_tensors_beside_the_model_are_kept(shelf: Catalog, tmp_path: Path) -> None:
    marked = {**held(shelf, "a"), "v_pred": torch.zeros(0)}
    save_tensors(tmp_path / "marked.safetensors", marked, {"modelhub.family": "sd1", "modelhub.kind": "checkpoint"})
    shelf.add(tmp_path / "marked.safetensors")

    artifact = drain(merge(MergeRecipe(a="marked", b="b", method=Method.WEIGHTED_SUM), catalog=shelf, name="kept"))

    assert "v_pred" in load_file(artifact.path)
