"""A whole model goes from one layout to another and back without losing a bit, and diffusers reads what is written."""

import json
from collections.abc import Mapping
from pathlib import Path

import diffusers
import pytest
import torch
from diffusers import EulerDiscreteScheduler
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import CLIPTokenizer

from inference.conversion import Converted, Layout, Precision, Wish, convert_model, plan_model
from inference.prompt.tokenizer import BOS, EOS, tokenize
from inference.weights.export import checkpoint_tensors
from inference.weights.folder import model_parts
from inference.weights.hints import write_hints
from inference.weights.load import load_part
from inference.weights.save import save_tensors
from modelhub.catalog import Catalog
from modelhub.errors import BadValue, BrokenFile, Conflict, Incompatible, ModelHubError
from modelhub.families import family
from modelhub.headers import read_table
from modelhub.jobs import drain
from tests import tiny, tiny_families

MODELS = {"sd1": tiny.models, **tiny_families.MODELS}
PIPELINES = {
    "sd1": "StableDiffusionPipeline",
    "sd2": "StableDiffusionPipeline",
    "sdxl": "StableDiffusionXLPipeline",
    "sdxl-refiner": "StableDiffusionXLImg2ImgPipeline",
}
CPU = torch.device("cpu")


def converted(path: Path, catalog: Catalog, layout: Layout | None = None, **wish: object) -> Converted:
    planned = plan_model(str(path), Wish(layout=layout, **wish), catalog=catalog)  # type: ignore[arg-type]
    return drain(convert_model(planned, catalog=catalog))


def to_folder(path: Path, catalog: Catalog, **wish: object) -> Path:
    return converted(path, catalog, Layout.FOLDER, **wish).conversion.target


def to_single(path: Path, catalog: Catalog, **wish: object) -> Path:
    return converted(path, catalog, Layout.SINGLE, **wish).conversion.target


def single(path: Path, name: str, **metadata: str) -> Path:
    if name == "sd1":
        return tiny.write_checkpoint(path, **metadata)
    return tiny_families.write_family(path, name, **metadata)


def folder(path: Path, name: str, *, scheduler: Mapping[str, object] | None = None) -> Path:
    """As diffusers saves one, of a family that only the owner knows."""
    tiny_families.write_folder(path, MODELS[name]())
    if scheduler:
        (path / "scheduler").mkdir()
        (path / "scheduler" / "scheduler_config.json").write_text(json.dumps(scheduler))
        index = json.loads((path / "model_index.json").read_text())
        index["scheduler"] = ["diffusers", "EulerDiscreteScheduler"]
        (path / "model_index.json").write_text(json.dumps(index))
    return path


def known(path: Path, catalog: Catalog, name: str) -> Path:
    catalog.say(catalog.add(path, name=path.stem).id, {"family": name})
    return path


def assert_same_states(path: Path, name: str, models: Mapping[str, nn.Module]) -> None:
    parts = model_parts(path, family(name))
    assert parts.keys() == models.keys()
    for role, part in parts.items():
        ours, theirs = load_part(part, device=CPU, dtype=torch.float32).state_dict(), models[role].state_dict()
        assert ours.keys() == theirs.keys()
        assert all(torch.equal(ours[key], one) for key, one in theirs.items()), role


@pytest.mark.parametrize("name", MODELS)
def test_a_file_becomes_a_folder_that_diffusers_loads_bit_for_bit(catalog: Catalog, tmp_path: Path, name: str) -> None:
    made = to_folder(known(single(tmp_path / "model.safetensors", name), catalog, name), catalog)

    pipeline = getattr(diffusers, PIPELINES[name]).from_pretrained(made, local_files_only=True)

    models = MODELS[name]()
    for role, model in models.items():
        theirs = getattr(pipeline, role).state_dict()
        assert theirs.keys() == model.state_dict().keys()
        assert all(torch.equal(theirs[key], one) for key, one in model.state_dict().items()), role
    assert pipeline.unet.config.attention_head_dim == 2
    assert_same_states(made, name, models)


@pytest.mark.parametrize("name", MODELS)
def test_a_folder_becomes_the_very_file_that_the_models_make(catalog: Catalog, tmp_path: Path, name: str) -> None:
    made = to_single(known(folder(tmp_path / "model", name), catalog, name), catalog)

    held, models = load_file(made), MODELS[name]()
    expected = checkpoint_tensors(**models, family=name)
    assert held.keys() == expected.keys()
    assert all(torch.equal(held[key], one) for key, one in expected.items())
    assert_same_states(made, name, models)


def test_there_and_back_again_is_the_same_file(catalog: Catalog, tmp_path: Path) -> None:
    first = known(single(tmp_path / "model.safetensors", "sdxl"), catalog, "sdxl")
    there = to_folder(first, catalog, out=tmp_path / "there")

    back = to_single(there, catalog, out=tmp_path / "back.safetensors")

    ours, theirs = load_file(back), load_file(first)
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[key], one) for key, one in theirs.items())


def test_the_folder_has_the_tokenizer_that_draws(catalog: Catalog, tmp_path: Path) -> None:
    made = to_folder(known(single(tmp_path / "model.safetensors", "sdxl"), catalog, "sdxl"), catalog)

    for name, padding in (("tokenizer", "<|endoftext|>"), ("tokenizer_2", "!")):
        tokenizer = CLIPTokenizer.from_pretrained(made / name, local_files_only=True)
        for text in ("a red circle, (best quality:1.2)", "ÄÖ don't stop 123 你好 <weird>  spaces"):
            assert tokenizer(text).input_ids == [BOS, *tokenize([text])[0], EOS]
        assert (tokenizer.pad_token, tokenizer.model_max_length) == (padding, 77)


def test_what_is_predicted_goes_along_in_both_directions(catalog: Catalog, tmp_path: Path) -> None:
    scheduler = {"prediction_type": "v_prediction", "rescale_betas_zero_snr": True}
    path = known(folder(tmp_path / "model", "sdxl", scheduler=scheduler), catalog, "sdxl")

    file = converted(path, catalog, Layout.SINGLE).artifact
    table = read_table(file.path)
    assert {"v_pred", "ztsnr"} < table.tensors.keys()
    assert table.metadata["modelspec.prediction_type"] == "v"
    assert (file.facts.prediction_type, file.facts.zero_snr) == ("v", True)

    back = to_folder(file.path, catalog, out=tmp_path / "back")
    made = EulerDiscreteScheduler.from_pretrained(back / "scheduler", local_files_only=True).config
    assert (made.prediction_type, made.rescale_betas_zero_snr) == ("v_prediction", True)
    assert made.timestep_spacing == "trailing"


def test_a_file_says_what_made_it_and_what_no_shape_tells(catalog: Catalog, tmp_path: Path) -> None:
    metadata = read_table(to_single(known(folder(tmp_path / "dream", "sd2"), catalog, "sd2"), catalog)).metadata

    assert metadata["modelspec.architecture"] == "stable-diffusion-v2-512"
    assert metadata["modelspec.title"] == "dream"
    assert json.loads(metadata["modelhub.config"])["unet_heads"] == 2


def test_precision_is_changed_on_the_way(catalog: Catalog, tmp_path: Path) -> None:
    path = known(single(tmp_path / "model.safetensors", "sd2"), catalog, "sd2")

    made = to_folder(path, catalog, precision=Precision.BF16)

    assert made.name == "model-bf16"
    assert {entry.dtype for entry in read_table(made).tensors.values()} == {"BF16"}


def test_weights_in_eight_bits_become_whole_ones_times_their_scale(catalog: Catalog, tmp_path: Path) -> None:
    tensors = checkpoint_tensors(**tiny.models())
    name = "model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn1.to_q.weight"
    eight = (tensors[name] * 16).to(torch.float8_e4m3fn)
    tensors |= {name: eight, name.replace(".weight", ".scale_weight"): torch.tensor(1 / 16)}
    path = tmp_path / "eight.safetensors"
    save_tensors(path, tensors, {"modelhub.family": "sd1", **write_hints(tiny.HINTS)})

    unet = load_file(to_folder(known(path, catalog, "sd1"), catalog) / "unet" / "diffusion_pytorch_model.safetensors")

    made = unet["down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q.weight"]
    assert made.dtype == torch.float16
    assert torch.equal(made, (eight.float() / 16).half())


def test_words_and_lineage_go_along(catalog: Catalog, tmp_path: Path) -> None:
    path = known(single(tmp_path / "dream.safetensors", "sd1"), catalog, "sd1")
    original = catalog.tag(catalog.resolve("dream").id, "style")
    catalog.set_note(original.id, "from a friend")

    made = converted(path, catalog, Layout.FOLDER).artifact

    assert (made.name, made.note, set(made.tags)) == ("dream-folder", "from a friend", {"style"})
    run = catalog.last_run("convert")
    assert run is not None
    assert (run.inputs, run.outputs) == ((("model", original.id),), (made.id,))


def test_a_family_that_sizes_do_not_tell_is_kept(catalog: Catalog, tmp_path: Path) -> None:
    path = single(tmp_path / "dream.safetensors", "sd1")
    catalog.add(path)
    assert converted(path, catalog, Layout.FOLDER).artifact.facts.family == "sd1"


def test_what_is_there_already_is_compared_and_taken(catalog: Catalog, tmp_path: Path) -> None:
    path = known(single(tmp_path / "dream.safetensors", "sd1"), catalog, "sd1")
    first = converted(path, catalog, Layout.FOLDER)

    again = converted(path, catalog, Layout.FOLDER)

    assert (first.conversion.written, again.conversion.written) == (True, False)
    assert again.artifact.id == first.artifact.id


@pytest.mark.parametrize("changed", ["unet/config.json", "vae/diffusion_pytorch_model.safetensors"])
def test_another_folder_in_its_place_is_kept(catalog: Catalog, tmp_path: Path, changed: str) -> None:
    path = known(single(tmp_path / "dream.safetensors", "sd1"), catalog, "sd1")
    other = to_folder(path, catalog) / changed
    other.write_bytes(other.read_bytes()[:-1] + b"?")

    with pytest.raises(Conflict, match=r"is not dream\.safetensors converted"):
        to_folder(path, catalog)
    assert other.read_bytes().endswith(b"?")


def test_a_stop_half_way_leaves_nothing_behind(catalog: Catalog, tmp_path: Path) -> None:
    path = known(single(tmp_path / "dream.safetensors", "sd1"), catalog, "sd1")
    (tmp_path / ".dream.killed.part").mkdir()
    job = convert_model(plan_model(str(path), Wish(layout=Layout.FOLDER), catalog=catalog), catalog=catalog)

    for _ in range(3):
        next(job)
    job.close()  # type: ignore[attr-defined]

    assert [one.name for one in tmp_path.glob("*dream*")] == ["dream.safetensors"]


def test_pieces_of_no_part_are_told(catalog: Catalog, tmp_path: Path) -> None:
    path = known(single(tmp_path / "dream.safetensors", "sd1"), catalog, "sd1")
    extra = tmp_path / "extra.safetensors"
    save_file({**load_file(path), "model_ema.num_updates": torch.ones(1)}, extra, dict(read_table(path).metadata))

    assert plan_model(str(extra), Wish(layout=Layout.FOLDER), catalog=catalog).plan.dropped == (
        "model_ema.num_updates",
    )


def refused(path: Path, catalog: Catalog, layout: Layout | None, expected: type[ModelHubError], match: str) -> None:
    with pytest.raises(expected, match=match):
        plan_model(str(path), Wish(layout=layout), catalog=catalog)


def test_what_cannot_be_written_is_refused_before_anything_is(catalog: Catalog, tmp_path: Path) -> None:
    path = folder(tmp_path / "dream", "sd1")
    refused(path, catalog, Layout.SINGLE, BadValue, "family of .* is not known")
    known(path, catalog, "sd1")
    refused(path, catalog, Layout.FOLDER, BadValue, "a folder already")
    refused(path / "vae", catalog, Layout.SINGLE, ModelHubError, "vae")
    edm = known(single(tmp_path / "edm.safetensors", "sd1"), catalog, "sd1")
    catalog.say(catalog.resolve("edm").id, {"prediction_type": "edm"})
    refused(edm, catalog, Layout.FOLDER, Incompatible, "of the kind edm cannot be written")
    lora = tiny.write_lora(tmp_path / "lora.safetensors", {})
    refused(lora, catalog, Layout.FOLDER, ModelHubError, "holds no UNet|family")


def test_a_model_that_one_file_cannot_tell_is_refused(catalog: Catalog, tmp_path: Path) -> None:
    path = known(folder(tmp_path / "dream", "sd2"), catalog, "sd2")
    config = json.loads((path / "text_encoder" / "config.json").read_text())
    (path / "text_encoder" / "config.json").write_text(json.dumps({**config, "hidden_act": "quick_gelu"}))

    refused(path, catalog, Layout.SINGLE, Incompatible, "hidden_act = quick_gelu, which one file cannot tell")


def test_a_model_without_one_of_its_parts_keeps_its_layout(catalog: Catalog, tmp_path: Path) -> None:
    tensors = {name: one for name, one in checkpoint_tensors(**tiny.models()).items() if "first_stage" not in name}
    save_tensors(tmp_path / "dream.safetensors", tensors, {"modelhub.family": "sd1", **write_hints(tiny.HINTS)})

    refused(tmp_path / "dream.safetensors", catalog, Layout.FOLDER, BrokenFile, "holds no VAE")


def test_shards_are_gathered_into_one_file(catalog: Catalog, tmp_path: Path) -> None:
    path = tiny_families.write_folder(tmp_path / "model", tiny_families.sd2_models(), max_shard_size="100KB")

    made = to_single(known(path, catalog, "sd2"), catalog)

    assert len(list((path / "unet").glob("*.safetensors"))) > 1
    assert_same_states(made, "sd2", tiny_families.sd2_models())


def test_an_inpainting_model_gets_the_pipeline_that_takes_a_mask(catalog: Catalog, tmp_path: Path) -> None:
    header = {"modelhub.family": "sd1", **write_hints(tiny.HINTS)}
    save_tensors(tmp_path / "model.safetensors", checkpoint_tensors(**tiny.models(in_channels=9)), header)
    artifact = catalog.add(tmp_path / "model.safetensors")

    made = to_folder(artifact.path, catalog)

    assert artifact.facts.variant == "inpaint"
    assert json.loads((made / "model_index.json").read_text())["_class_name"] == "StableDiffusionInpaintPipeline"
    assert json.loads((made / "unet" / "config.json").read_text())["in_channels"] == 9
