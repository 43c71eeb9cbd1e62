"""Folders as diffusers, transformers and peft save them are read as one model, each tensor once."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import ControlNetModel, DDIMScheduler, StableDiffusionPipeline
from torch import nn

from modelhub.errors import BrokenFile, MissingFile
from modelhub.headers import BESIDE, INPUTS, folder_files, holds_model, read_table, weight_files
from modelhub.headers.folders import IGNORED
from modelhub.headers.pickles import STRANGERS
from tests import tables, tiny
from tests.onnx_files import net


@pytest.fixture(scope="module")
def modules() -> dict[str, nn.Module]:
    return {role: module.half() for role, module in tiny.models().items()}


@pytest.fixture(scope="module")
def pipeline(modules: dict[str, nn.Module]) -> StableDiffusionPipeline:
    scheduler = DDIMScheduler(prediction_type="v_prediction", rescale_betas_zero_snr=True)
    return StableDiffusionPipeline(
        **modules,
        scheduler=scheduler,
        tokenizer=None,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


@pytest.fixture
def saved(pipeline: StableDiffusionPipeline, tmp_path: Path) -> Path:
    pipeline.save_pretrained(tmp_path / "kip")
    return tmp_path / "kip"


def shapes(folder: Path) -> dict[str, tuple[int, ...]]:
    return {name: entry.shape for name, entry in read_table(folder).tensors.items()}


def shapes_of(**modules: nn.Module) -> dict[str, tuple[int, ...]]:
    return {
        f"{role}.{name}" if role else name: tuple(tensor.shape)
        for role, module in modules.items()
        for name, tensor in module.state_dict().items()
        if "position_ids" not in name
    }


def write_json(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"variant": "fp16"},
        {"max_shard_size": "20KB"},
        {"max_shard_size": "20KB", "variant": "fp16"},
        {"safe_serialization": False},
    ],
    ids=str,
)
def test_a_pipeline_is_read_however_diffusers_saved_it(
    how: dict[str, Any], modules: dict[str, nn.Module], pipeline: StableDiffusionPipeline, tmp_path: Path
) -> None:
    pipeline.save_pretrained(tmp_path, **how)
    table = read_table(tmp_path)
    assert shapes(tmp_path) == shapes_of(**modules)
    assert table.container == "diffusers"
    assert {entry.dtype for entry in table.tensors.values()} == {"F16"}


def test_configurations_become_flat_text(saved: Path) -> None:
    metadata = read_table(saved).metadata
    expected = {
        "_class_name": "StableDiffusionPipeline",
        "unet._class_name": "UNet2DConditionModel",
        "unet.block_out_channels": "[8, 16]",
        "vae._class_name": "AutoencoderKL",
        "vae.scaling_factor": "0.18215",
        "vae.force_upcast": "true",
        "text_encoder._class_name": "CLIPTextModel",
        "scheduler._class_name": "DDIMScheduler",
        "scheduler.prediction_type": "v_prediction",
        "scheduler.rescale_betas_zero_snr": "true",
    }
    assert expected.items() <= metadata.items()
    assert "vae.shift_factor" not in metadata


def test_a_component_alone_keeps_its_bare_names(modules: dict[str, nn.Module], tmp_path: Path) -> None:
    modules["vae"].save_pretrained(tmp_path)
    table = read_table(tmp_path)
    assert shapes(tmp_path) == {name: tuple(tensor.shape) for name, tensor in modules["vae"].state_dict().items()}
    assert (table.metadata["_class_name"], table.metadata["scaling_factor"]) == ("AutoencoderKL", "0.18215")


def test_a_text_encoder_alone_bears_the_class_that_transformers_notes(
    modules: dict[str, nn.Module], tmp_path: Path
) -> None:
    modules["text_encoder"].save_pretrained(tmp_path)
    assert read_table(tmp_path).metadata["_class_name"] == "CLIPTextModel"


def test_a_controlnet_alone_is_a_model(modules: dict[str, nn.Module], tmp_path: Path) -> None:
    controlnet = ControlNetModel.from_unet(modules["unet"], conditioning_channels=3)
    controlnet.save_pretrained(tmp_path, variant="fp16")
    assert read_table(tmp_path).metadata["_class_name"] == "ControlNetModel"
    assert "controlnet_cond_embedding.conv_in.weight" in shapes(tmp_path)


def test_a_peft_adapter_is_a_model(tmp_path: Path) -> None:
    tables.write(tmp_path / "adapter_model.safetensors", tables.peft_lora(), {"format": "pt"})
    write_json(tmp_path / "adapter_config.json", {"peft_type": "LORA", "r": 8, "target_modules": ["to_k", "to_q"]})
    assert shapes(tmp_path) == tables.peft_lora()
    assert read_table(tmp_path).metadata == {
        "format": "pt",
        "peft_type": "LORA",
        "r": "8",
        "target_modules": '["to_k", "to_q"]',
    }


BEST_FIRST = [
    "diffusion_pytorch_model.safetensors",
    "diffusion_pytorch_model.fp16.safetensors",
    "diffusion_pytorch_model.non_ema.safetensors",
    "diffusion_pytorch_model.bin",
    "diffusion_pytorch_model.fp16.bin",
]


@pytest.mark.parametrize("at", range(len(BEST_FIRST)))
def test_of_several_variants_one_is_read(at: int, tmp_path: Path) -> None:
    write_json(tmp_path / "config.json", {})
    for rank, name in enumerate(BEST_FIRST[at:]):
        if name.endswith("bin"):
            torch.save({f"from {name}": torch.zeros(2)}, tmp_path / name)
        else:
            tables.write(tmp_path / name, {f"from {name}": (2, rank)})
    assert list(read_table(tmp_path).tensors) == [f"from {BEST_FIRST[at]}"]


def test_a_missing_shard_is_named(pipeline: StableDiffusionPipeline, tmp_path: Path) -> None:
    pipeline.unet.save_pretrained(tmp_path, max_shard_size="20KB")
    lost = sorted(tmp_path.glob("*.safetensors"))[1]
    lost.unlink()
    with pytest.raises(BrokenFile, match=lost.name):
        read_table(tmp_path)


def test_shards_without_an_index_are_joined_by_their_numbers(tmp_path: Path) -> None:
    write_json(tmp_path / "config.json", {})
    tables.write(tmp_path / "model-00001-of-00002.safetensors", {"a": (1,)})
    with pytest.raises(BrokenFile, match="model-00002-of-00002"):
        read_table(tmp_path)
    tables.write(tmp_path / "model-00002-of-00002.safetensors", {"b": (1,)})
    assert shapes(tmp_path) == {"a": (1,), "b": (1,)}


def test_the_files_of_a_networks_weights_are_the_best_set_whole_or_in_shards(tmp_path: Path) -> None:
    assert weight_files(tmp_path) == ()
    (tmp_path / "pytorch_model.bin").touch()
    assert weight_files(tmp_path) == (tmp_path / "pytorch_model.bin",)

    shards = [tmp_path / f"model-0000{number}-of-00002.safetensors" for number in (1, 2)]
    for shard in shards:
        shard.touch()
    assert weight_files(tmp_path) == tuple(shards)
    shards[1].unlink()
    with pytest.raises(BrokenFile, match="model-00002-of-00002"):
        weight_files(tmp_path)


def test_two_shards_with_the_same_tensor_are_broken(tmp_path: Path) -> None:
    write_json(tmp_path / "config.json", {})
    for number in (1, 2):
        tables.write(tmp_path / f"model-0000{number}-of-00002.safetensors", {"a": (1,)})
    with pytest.raises(BrokenFile, match="'a' too"):
        read_table(tmp_path)


ELSEWHERE = ["../secret.safetensors", "/etc/passwd", "..", "", "sub/model.safetensors", "a" * 300, "\ud800", "\0"]


@pytest.mark.parametrize("name", ELSEWHERE, ids=ascii)
def test_an_index_names_nothing_outside_its_folder(name: str, tmp_path: Path) -> None:
    tables.write(tmp_path / "secret.safetensors", {"a": (1,)})
    write_json(tmp_path / "model" / "config.json", {})
    write_json(tmp_path / "model" / "model.safetensors.index.json", {"weight_map": {"a": name}})
    with pytest.raises(BrokenFile, match=r"is missing|is no index"):
        read_table(tmp_path / "model")


@pytest.mark.parametrize("name", ["../secret", "/etc", "..", "", "a" * 300, "\ud800", "\0"], ids=ascii)
def test_a_pipeline_names_no_component_outside_its_folder(name: str, saved: Path) -> None:
    index = json.loads((saved / "model_index.json").read_text())
    before = shapes(saved)
    write_json(saved / "model_index.json", index | {name: ["diffusers", "AutoencoderKL"]})
    assert shapes(saved) == before


def test_a_component_that_is_named_and_missing_is_broken(saved: Path) -> None:
    shutil.rmtree(saved / "vae")
    with pytest.raises(BrokenFile, match="folder vae is missing"):
        read_table(saved)


def test_a_safety_checker_that_was_thrown_away_is_not_missed(saved: Path) -> None:
    index = json.loads((saved / "model_index.json").read_text())
    index["safety_checker"] = ["stable_diffusion", "StableDiffusionSafetyChecker"]
    write_json(saved / "model_index.json", index)
    assert len(shapes(saved)) > 100


def test_a_component_without_its_weights_is_broken(saved: Path) -> None:
    (saved / "unet" / "diffusion_pytorch_model.safetensors").unlink()
    with pytest.raises(BrokenFile, match=r"unet: it has a config\.json and no weights"):
        read_table(saved)


CONFIGS = {
    "no JSON": b"{",
    "a list": b"[]",
    "deep": b'{"a":' * 100_000,
    "too long": b'{"a": "%s"}' % (b"a" * 1_000_000),
    "no text": b"\xff\xff",
}


@pytest.mark.parametrize("content", CONFIGS.values(), ids=CONFIGS)
@pytest.mark.parametrize("name", ["model_index.json", "vae/config.json", "scheduler/scheduler_config.json"])
def test_a_configuration_that_is_none_is_broken(name: str, content: bytes, saved: Path) -> None:
    (saved / name).write_bytes(content)
    with pytest.raises(BrokenFile, match=Path(name).name):
        read_table(saved)


def test_half_characters_of_a_configuration_are_replaced(tmp_path: Path) -> None:
    tables.write(tmp_path / "model.safetensors", {"a": (1,)})
    (tmp_path / "config.json").write_text('{"a": "\\ud800", "\\udfff": ["\\ud800"]}')
    assert read_table(tmp_path).metadata == {"a": "?", "?": '["?"]'}


def test_what_a_component_would_import_is_told_of_the_whole(saved: Path) -> None:
    weights = saved / "unet" / "diffusion_pytorch_model.safetensors"
    weights.unlink()
    torch.save({"a": torch.zeros(2), "b": Path("x")}, weights.with_suffix(".bin"))
    assert "pathlib" in read_table(saved).metadata[STRANGERS]


@pytest.mark.parametrize(
    ("names", "held"),
    [
        (["model_index.json"], True),
        (["config.json", "diffusion_pytorch_model.safetensors"], True),
        (["config.json", "diffusion_pytorch_model.fp16.bin"], True),
        (["config.json", "model-00001-of-00002.safetensors"], True),
        (["config.json", "model.fp16-00001-of-00002.safetensors"], True),
        (["config.json", "model-00001-of-00002.fp16.safetensors"], True),
        (["config.json", "model.safetensors.index.fp16.json"], True),
        (["config.json", "pytorch_model.bin", "README.md"], True),
        (["adapter_config.json", "adapter_model.safetensors"], True),
        (["diffusion_pytorch_model.safetensors"], False),
        (["config.json", "dreamshaper-8.safetensors"], False),
        (["config.json", "adapter_model.safetensors"], False),
        (["config.json", "my_model.safetensors", "model.safetensors.part"], False),
        ([], False),
    ],
)
def test_a_folder_is_a_model_by_the_names_in_it(names: list[str], held: bool) -> None:
    assert holds_model(names) is held


def test_a_folder_of_models_is_no_model(tmp_path: Path) -> None:
    tables.write(tmp_path / "a.safetensors", {"a": (1,)})
    with pytest.raises(MissingFile, match="folder"):
        read_table(tmp_path)


def test_all_that_belongs_to_a_pipeline_is_listed_in_order(pipeline: StableDiffusionPipeline, saved: Path) -> None:
    pipeline.unet.save_pretrained(saved / "unet", variant="fp16")
    for name in ("README.md", "pictures/a.png", ".git/config", "unet/.cache/lock", "kip.safetensors"):
        (saved / name).parent.mkdir(exist_ok=True)
        (saved / name).touch()
    assert [path.relative_to(saved).as_posix() for path in folder_files(saved)] == [
        "model_index.json",
        "scheduler/scheduler_config.json",
        "text_encoder/config.json",
        "text_encoder/model.safetensors",
        "unet/config.json",
        "unet/diffusion_pytorch_model.fp16.safetensors",
        "unet/diffusion_pytorch_model.safetensors",
        "vae/config.json",
        "vae/diffusion_pytorch_model.safetensors",
    ]


def test_all_that_belongs_to_a_component_is_listed(tmp_path: Path) -> None:
    for name in ("config.json", "model.safetensors.index.json", "README.md", "other.safetensors", ".hidden.json"):
        (tmp_path / name).touch()
    for number in (1, 2):
        (tmp_path / f"model-0000{number}-of-00003.safetensors").touch()
    assert [path.name for path in folder_files(tmp_path)] == [
        "config.json",
        "model-00001-of-00003.safetensors",
        "model-00002-of-00003.safetensors",
        "model.safetensors.index.json",
    ]


def test_a_snapshot_in_the_cache_of_huggingface_is_a_model(saved: Path, tmp_path: Path) -> None:
    repository = tmp_path / "hub" / "models--kip--bird"
    files = sorted(path for path in saved.rglob("*") if path.is_file())
    for number, file in enumerate(files):
        link = repository / "snapshots" / "c0ffee" / file.relative_to(saved)
        blob = repository / "blobs" / f"{number:064x}"
        blob.parent.mkdir(parents=True, exist_ok=True)
        link.parent.mkdir(parents=True, exist_ok=True)
        file.rename(blob)
        link.symlink_to(Path(*[".."] * (len(link.relative_to(repository).parts) - 1), "blobs", blob.name))
    snapshot = repository / "snapshots" / "c0ffee"
    assert len(folder_files(snapshot)) == len(files)
    assert len(shapes(snapshot)) > 100
    assert "unet.conv_in.weight" in shapes(snapshot)
    assert "conv_in.weight" in shapes(snapshot / "unet")


@pytest.mark.parametrize("place", ["unet/diffusion_pytorch_model.fp16.safetensors", "unet/loot.json"])
def test_links_out_of_the_folder_are_passed_over_with_a_reason(place: str, saved: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").touch()
    before, tensors = folder_files(saved), shapes(saved)
    (saved / place).symlink_to(tmp_path / "secret")
    assert (folder_files(saved), shapes(saved)) == (before, tensors)
    assert read_table(saved).metadata[IGNORED].startswith(f"{place} is a link out of the folder, to /")


@pytest.mark.parametrize("place", ["unet", "unet/diffusion_pytorch_model.safetensors", "model_index.json"])
def test_a_model_whose_parts_lie_elsewhere_is_refused(place: str, saved: Path, tmp_path: Path) -> None:
    (saved / place).rename(tmp_path / "elsewhere")
    (saved / place).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BrokenFile, match="is a link out of the folder, to /"):
        read_table(saved)
    assert saved / place not in folder_files(saved)


def test_links_within_the_folder_are_followed(saved: Path) -> None:
    weights = saved / "unet" / "diffusion_pytorch_model.safetensors"
    weights.rename(saved / "unet" / "weights")
    weights.symlink_to("weights")
    assert "unet.conv_in.weight" in shapes(saved)


def test_a_tagger_is_its_net_and_its_list(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(net())
    assert not holds_model(["model.onnx"])
    for name in ("selected_tags.csv", "config.json", "README.md", "model.safetensors"):
        (tmp_path / name).write_text("{}")

    table = read_table(tmp_path)

    assert [one.name for one in folder_files(tmp_path)] == [
        "config.json", "model.onnx", "model.safetensors", "selected_tags.csv",
    ]  # fmt: skip
    assert (table.container, table.metadata[BESIDE]) == ("diffusers", "selected_tags.csv")
    assert table.metadata[INPUTS] == "F32 [?, 32, 32, 3]"


def test_a_taggers_net_that_lies_elsewhere_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere.onnx").write_bytes(net())
    tagger = tmp_path / "tagger"
    tagger.mkdir()
    (tagger / "selected_tags.csv").write_text("tag_id,name,category")
    (tagger / "model.onnx").symlink_to(tmp_path / "elsewhere.onnx")

    table = read_table(tagger)

    assert (dict(table.tensors), "is a link out of the folder" in table.metadata[IGNORED]) == ({}, True)


def test_a_tokenizers_words_belong_to_its_network(tmp_path: Path) -> None:
    for name in (
        "config.json",
        "model.safetensors",
        "vocab.txt",
        "merges.txt",
        "tokenizer.model",
        "notes.txt",
        "a.jinja",
    ):
        (tmp_path / name).touch()

    assert [one.name for one in folder_files(tmp_path)] == [
        "a.jinja", "config.json", "merges.txt", "model.safetensors", "tokenizer.model", "vocab.txt",
    ]  # fmt: skip
