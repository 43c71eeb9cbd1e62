"""A card tells how to use a model and how it was made, in HuggingFace's form."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from huggingface_hub import ModelCard
from markdown_it import MarkdownIt

from modelhub.catalog import Catalog
from modelhub.kinds import Facts, Kind
from modelhub.upkeep.card import card
from tests import tables

TRAINED = {
    "ss_sd_model_name": "runwayml/stable-diffusion-v1-5",
    "ss_network_dim": "8",
    "ss_steps": "500",
    "modelspec.title": "Kip the robot",
    "modelspec.author": "Ann",
    "modelspec.license": "CC0",
    "modelspec.description": "A small robot.\nRed.",
    "modelspec.trigger_phrase": "kip robot",
    "modelspec.tags": "robot",
}
Written = Callable[..., str]


@pytest.fixture
def written(catalog: Catalog, tmp_path: Path) -> Written:
    """The card of a file with these entries in its header."""

    def card_of(
        metadata: dict[str, str], name: str = "kip.safetensors", weight: float | None = None, **more: Any
    ) -> str:
        path = tables.write(tmp_path / "files" / name, tables.tiny_lora(), metadata)
        artifact = catalog.set_weight(catalog.add(path).id, weight)
        return card(catalog.account(artifact.id), **more)

    return card_of


def _front(text: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(text.split("---\n")[1])
    return found


def test_the_front_is_what_huggingface_reads(written: Written) -> None:
    assert _front(written(TRAINED)) == {
        "license": "cc0-1.0",
        "base_model": "runwayml/stable-diffusion-v1-5",
        "library_name": "diffusers",
        "pipeline_tag": "text-to-image",
        "tags": ["lora", "sd1", "stable-diffusion", "robot"],
        "instance_prompt": "kip robot",
    }


def test_huggingfaces_own_reader_takes_the_card(written: Written) -> None:
    read = ModelCard(written(TRAINED))
    assert read.data.license == "cc0-1.0"
    assert read.data.to_dict()["instance_prompt"] == "kip robot"
    assert read.text.startswith("\n# Kip the robot")


def test_a_licence_of_its_own_has_its_name(written: Written) -> None:
    front = _front(written({"modelspec.license": "Ask: me\n---\nfirst"}))
    assert (front["license"], front["license_name"]) == ("other", "Ask: me --- first")


def test_each_tool_is_told_how_to_call_it(written: Written) -> None:
    text = written(TRAINED, weight=0.8)
    for told in (
        "kip robot <lora:kip:0.8>",
        "`LoraLoader`, strength 0.8",
        'pipe.load_lora_weights(".", weight_name="kip.safetensors")',
        "StableDiffusionPipeline",
        "modelhub generate 'kip robot' --model MODEL --lora kip=0.8",
    ):
        assert told in text


def test_the_python_in_a_card_is_python(written: Written) -> None:
    block = re.search(r"```python\n(.*?)```", written({}, name="ki\"p'.safetensors"), re.DOTALL)
    assert block
    compile(block[1], "card", "exec")


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (Kind.CHECKPOINT, "CheckpointLoaderSimple"),
        (Kind.EMBEDDING, "embedding:kip"),
        (Kind.VAE, "VAELoader"),
        (Kind.CONTROLNET, "models/ControlNet"),
        (Kind.UPSCALER, "UpscaleModelLoader"),
        (Kind.IMAGE_ENCODER, "CLIPVisionLoader"),
        (Kind.TAGGER, "modelhub dataset caption FOLDER --tagger kip"),
        (Kind.CAPTIONER, "modelhub dataset caption FOLDER --captioner kip"),
        (Kind.UNKNOWN, "An unknown"),
    ],
)
def test_every_kind_has_its_own_use(catalog: Catalog, tmp_path: Path, kind: Kind, told: str) -> None:
    path = tables.write(tmp_path / "kip.safetensors", tables.tiny_lora())
    account = catalog.account(catalog.add(path, facts=Facts(kind=kind)).id)
    assert told in card(account)


def test_the_base_and_what_was_trained_on_it_are_linked(catalog: Catalog, tmp_path: Path) -> None:
    base = catalog.add(tables.write(tmp_path / "base.safetensors", tables.diffusers_unet()))
    sha256 = catalog.sha256(base)
    path = tables.write(tmp_path / "kip.safetensors", tables.tiny_lora(), {"ss_new_sd_model_hash": sha256})
    kip = catalog.add(path)
    assert f"- **on**: base (SHA-256 `{sha256}`)" in card(catalog.account(kip.id))
    assert "--model base --lora kip=1" in card(catalog.account(kip.id))
    assert "- trained on it: kip" in card(catalog.account(base.id))
    assert f"- sha256: `{sha256}`" in card(catalog.account(base.id))


def test_the_preview_is_linked_from_where_the_card_lies(catalog: Catalog, tmp_path: Path) -> None:
    path = tables.write(tmp_path / "models" / "kip (1).safetensors", tables.tiny_lora())
    path.with_name("kip (1).preview.png").write_bytes(b"png")
    account = catalog.account(catalog.add(path).id)
    assert "![preview](kip%20%281%29.preview.png)" in card(account)
    assert "![preview](../models/kip%20%281%29.preview.png)" in card(account, beside=tmp_path / "cards")


def test_nothing_that_strangers_wrote_is_obeyed(catalog: Catalog, tmp_path: Path) -> None:
    evil = "</a><script>x</script> [c](javascript:x) ![i](http://t/x) `` ` ```\n# h\n---\nlicense: mit\n<b>"
    fields = ("title", "author", "license", "description", "usage_hint", "trigger_phrase", "tags", "merged_from")
    kohya = ("ss_sd_model_name", "ss_network_module", "ss_optimizer", "ss_training_comment", "ss_vae_name")
    metadata = {**{f"modelspec.{name}": evil for name in fields}, **dict.fromkeys(kohya, evil)}
    metadata["ss_tag_frequency"] = json.dumps({evil: {evil: 3}})
    path = tables.write(tmp_path / "k`[i](x)p.safetensors", tables.tiny_lora(), metadata)
    path.with_name("k`[i](x)p.civitai.info").write_text(
        json.dumps({"id": 1, "modelId": 2, "name": evil, "model": {"name": evil}, "trainedWords": [evil]})
    )
    account = catalog.account(catalog.add(path).id)

    text = card(account)

    assert _front(text)["license"] == "other"
    html = MarkdownIt("commonmark", {"html": True}).render(text.split("---\n", 2)[2])
    assert set(re.findall(r"<(\w+)", html)) <= {"h1", "h2", "p", "ul", "li", "code", "pre", "strong", "em"}
