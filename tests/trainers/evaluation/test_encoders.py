"""Encoders as transformers writes them are read, and see what their own library sees."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import (
    CLIPConfig,
    CLIPModel,
    CLIPTextConfig,
    CLIPVisionConfig,
    CLIPVisionModelWithProjection,
    Dinov2Config,
    Dinov2Model,
    Dinov2WithRegistersConfig,
    Dinov2WithRegistersModel,
)

from modelhub.catalog import Catalog
from modelhub.errors import BadValue, BrokenFile, Incompatible, UnknownRef, UnsafeFile
from tests import tables
from tests.trainers.captioners import image_processor
from tests.trainers.pictures import picture
from trainers.evaluation.encoders import load_encoder
from trainers.seeing import ENCODER, looked_up

CPU = torch.device("cpu")


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    config = CLIPVisionConfig(
        hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2, image_size=32, patch_size=8,
        projection_dim=16,
    )  # fmt: skip
    folder = tmp_path / "tiny-clip"
    CLIPVisionModelWithProjection(config).save_pretrained(folder)
    return folder


def test_clip_sees_what_its_own_library_sees(clip: Path) -> None:
    pictures = [picture((64, 48)), picture((40, 90), shade=200)]
    processor = image_processor("CLIP")(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    pixels = processor(pictures, return_tensors="pt")["pixel_values"]
    model = CLIPVisionModelWithProjection.from_pretrained(clip)
    with torch.no_grad():
        expected = torch.nn.functional.normalize(model(pixels).image_embeds, dim=-1)

    found = load_encoder(clip, CPU).of(pictures)

    assert np.abs(found - expected.numpy()).max() < 0.02
    assert np.linalg.norm(found, axis=-1) == pytest.approx([1, 1], abs=1e-5)


def test_the_folders_own_numbers_are_taken(clip: Path) -> None:
    plain = load_encoder(clip, CPU).of([picture((32, 32))])
    said = {"size": {"shortest_edge": 40}, "crop_size": {"height": 32, "width": 32}, "image_mean": [0.5] * 3}
    (clip / "preprocessor_config.json").write_text(json.dumps(said))

    assert not np.allclose(load_encoder(clip, CPU).of([picture((32, 32))]), plain)


def test_dino_is_an_encoder_too(tmp_path: Path) -> None:
    torch.manual_seed(0)
    config = Dinov2Config(hidden_size=32, num_hidden_layers=1, num_attention_heads=2, image_size=28, patch_size=14)
    Dinov2Model(config).save_pretrained(tmp_path / "dino")

    one, same, other = load_encoder(tmp_path / "dino", CPU).of(
        [picture((28, 28)), picture((28, 28)), Image.new("RGB", (28, 28), "red")]
    )

    assert one @ same == pytest.approx(1.0, abs=1e-5)
    assert one @ other < 0.9999


def test_dino_with_registers_is_one_too(tmp_path: Path) -> None:
    sizes = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "image_size": 28, "patch_size": 14}
    Dinov2WithRegistersModel(Dinov2WithRegistersConfig(**sizes)).save_pretrained(tmp_path / "dino")

    assert load_encoder(tmp_path / "dino", CPU).of([picture((28, 28))]).shape == (1, 32)


def test_one_of_the_catalog_is_found_by_its_id_and_its_kind(clip: Path, catalog: Catalog, tmp_path: Path) -> None:
    lora = catalog.add(tables.write(tmp_path / "kip.safetensors", tables.tiny_lora()))
    with pytest.raises(Incompatible, match=r"is a lora, not an image_encoder or text_encoder") as caught:
        looked_up(str(lora.id), ENCODER, catalog)
    assert caught.value.mend == "modelhub pull hf:facebook/dinov2-base"

    added = catalog.add(clip)

    assert added.facts.kind == "image_encoder"
    assert looked_up(str(added.id), ENCODER, catalog) == looked_up("tiny-clip", ENCODER, catalog) == clip
    with pytest.raises(UnknownRef) as unknown:
        looked_up("nope", ENCODER, catalog)
    assert unknown.value.mend == "modelhub ls"


def test_of_a_clip_with_both_halves_the_one_that_sees_is_taken(catalog: Catalog, tmp_path: Path) -> None:
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2}
    reads = CLIPTextConfig(
        **sizes, projection_dim=16, vocab_size=40, max_position_embeddings=16, bos_token_id=1, eos_token_id=2
    )
    sees = CLIPVisionConfig(**sizes, image_size=32, patch_size=8, projection_dim=16)
    whole = CLIPConfig(text_config=reads.to_dict(), vision_config=sees.to_dict(), projection_dim=16)
    CLIPModel(whole).save_pretrained(tmp_path / "whole")
    added = catalog.add(tmp_path / "whole")

    assert added.facts.kind == "text_encoder"
    assert load_encoder(looked_up(str(added.id), ENCODER, catalog), CPU).of([picture((32, 32))]).shape == (1, 16)


def test_weights_that_are_missing_are_not_made_up(clip: Path) -> None:
    weights = {name: tensor for name, tensor in load_file(clip / "model.safetensors").items() if "layers.1" not in name}
    save_file(weights, clip / "model.safetensors", {"format": "pt"})

    with pytest.raises(BrokenFile, match=r"it lacks .*layers\.1"):
        load_encoder(clip, CPU)


def test_pickles_are_not_opened(clip: Path) -> None:
    (clip / "model.safetensors").rename(clip / "pytorch_model.bin")

    with pytest.raises(UnsafeFile, match="no weights in safetensors"):
        load_encoder(clip, CPU)


def test_what_is_no_encoder_is_refused_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(BadValue, match=r"holds no config\.json"):
        load_encoder(tmp_path, CPU)
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(BadValue, match="says 'bert'") as caught:
        load_encoder(tmp_path, CPU)
    assert "dinov2" in str(caught.value.mend)
    (tmp_path / "config.json").write_text("no json")
    with pytest.raises(BrokenFile, match="is no JSON"):
        load_encoder(tmp_path, CPU)
