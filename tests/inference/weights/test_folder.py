"""Folders that diffusers and transformers wrote: whole, in shards, in half precision, as pickles."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from torch import nn

from inference.weights.folder import model_parts, model_weights, read_weights
from inference.weights.load import load_part
from inference.weights.single_file import part_in
from modelhub.errors import BrokenFile, Incompatible
from modelhub.families import family
from tests import tiny_families

CPU = torch.device("cpu")


def assert_same(folder: Path, name: str, models: Mapping[str, nn.Module], dtype: torch.dtype = torch.float32) -> None:
    parts = model_parts(folder, family(name))
    assert parts.keys() == models.keys()
    for role, part in parts.items():
        state, theirs = load_part(part, device=CPU, dtype=dtype).state_dict(), models[role].state_dict()
        assert state.keys() == theirs.keys()
        assert all(torch.equal(state[key], one.to(dtype)) for key, one in theirs.items()), role


@pytest.mark.parametrize("name", tiny_families.MODELS)
def test_a_folder_gives_back_the_very_weights(tmp_path: Path, name: str) -> None:
    models = tiny_families.MODELS[name]()

    assert_same(tiny_families.write_folder(tmp_path / "model", models), name, models)


def test_shards_are_read_where_each_tensor_is(tmp_path: Path) -> None:
    models = tiny_families.sdxl_models()

    folder = tiny_families.write_folder(tmp_path / "model", models, max_shard_size="100KB")

    assert len(list((folder / "unet").glob("*.safetensors"))) > 1
    assert_same(folder, "sdxl", models)


def test_a_half_precision_variant_is_read_where_there_is_no_other(tmp_path: Path) -> None:
    models = {role: model.half() for role, model in tiny_families.sdxl_models().items()}

    assert_same(tiny_families.write_folder(tmp_path / "model", models, variant="fp16"), "sdxl", models)


def test_its_own_configuration_says_what_no_shape_tells(tmp_path: Path) -> None:
    parts = model_parts(tiny_families.write_folder(tmp_path / "model", tiny_families.sdxl_models()), family("sdxl"))

    assert parts["unet"].config["attention_head_dim"] == 2
    assert parts["unet"].config["norm_num_groups"] == 4
    assert parts["text_encoder"].config["num_attention_heads"] == 2
    assert parts["text_encoder_2"].config["hidden_act"] == "gelu"


def test_the_tensors_are_believed_before_the_configuration(tmp_path: Path) -> None:
    models = tiny_families.sdxl_models()
    folder = tiny_families.write_folder(tmp_path / "model", models)
    config = json.loads((folder / "unet" / "config.json").read_text())
    (folder / "unet" / "config.json").write_text(json.dumps({**config, "in_channels": 9, "layers_per_block": 5}))

    assert_same(folder, "sdxl", models)


def test_pickles_in_a_folder_are_named_with_the_command_that_converts_them(tmp_path: Path) -> None:
    folder = tiny_families.write_folder(tmp_path / "model", tiny_families.sd2_models(), safe_serialization=True)
    unet = folder / "unet"
    (unet / "diffusion_pytorch_model.safetensors").unlink()
    torch.save(tiny_families.sd2_models()["unet"].state_dict(), unet / "diffusion_pytorch_model.bin")

    with pytest.raises(Incompatible, match=r"the weights in .*unet are pickles") as caught:
        model_parts(folder, family("sd2"))

    assert caught.value.mend == f"modelhub convert {unet / 'diffusion_pytorch_model.bin'}"


def test_one_component_is_taken_from_a_folder_of_its_own_or_from_a_pipeline(tmp_path: Path) -> None:
    models = tiny_families.sdxl_models()
    folder = tiny_families.write_folder(tmp_path / "model", models)

    for weights in (read_weights(folder / "vae"), model_weights(folder, "vae")):
        part = part_in(weights, family("sdxl"), "vae")
        assert part.path == folder / "vae"
        state = load_part(part, device=CPU, dtype=torch.float32).state_dict()
        assert all(torch.equal(state[name], one) for name, one in models["vae"].state_dict().items())


@pytest.mark.parametrize(
    "wrong",
    [
        {"attention_head_dim": 10**9},
        {"attention_head_dim": "[" * 3000},
        {"norm_num_groups": [1] * 99},
        {"norm_num_groups": -3},
        {"freq_shift": {"a": 1}},
    ],
)
def test_numbers_of_no_sane_size_are_not_believed(tmp_path: Path, wrong: dict[str, object]) -> None:
    folder = tiny_families.write_folder(tmp_path / "model", tiny_families.sd2_models())
    config = json.loads((folder / "unet" / "config.json").read_text())
    (folder / "unet" / "config.json").write_text(json.dumps({**config, **wrong}))

    part = model_parts(folder, family("sd2"))["unet"]

    assert all(part.config.get(name) != value for name, value in wrong.items())


def test_a_configuration_that_no_model_can_have_is_refused(tmp_path: Path) -> None:
    folder = tiny_families.write_folder(tmp_path / "model", tiny_families.sd2_models())
    config = json.loads((folder / "unet" / "config.json").read_text())
    (folder / "unet" / "config.json").write_text(json.dumps({**config, "act_fn": "nonsense"}))

    with pytest.raises(BrokenFile, match="no unet has the sizes that it describes"):
        load_part(model_parts(folder, family("sd2"))["unet"], device=CPU, dtype=torch.float32)
