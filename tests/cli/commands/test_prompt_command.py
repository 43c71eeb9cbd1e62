"""`modelhub prompt explain`, as a person types it."""

import json
from pathlib import Path

import pytest
import torch

from cli.app import main
from inference.weights.save import save_tensors
from modelhub.catalog import Catalog
from modelhub.kinds import Facts, Kind
from tests import tiny, tiny_families
from tests.inference.adapters.hypernetworks import write_converted

TO_K = {"lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k": (8, 16)}


def explain(*arguments: object) -> int:
    return main(["prompt", "explain", *map(str, arguments)])


def test_a_prompt_is_told_step_by_step_and_word_by_word(capsys: pytest.CaptureFixture[str]) -> None:
    code = explain("a (cat:1.2) [red:blue:2] <lora:kip:0.5:0.8> AND (b:0.7", "--steps", 4)

    told = capsys.readouterr().out
    assert code == 0
    assert "1-3    a (cat:1.2) red" in told
    assert "2368   1.2     cat" in told
    assert "chunk 1 of 1: 3 of 75 tokens" in told
    assert "prompt 2 of 2, weight 0.7" in told
    assert "LoRA kip: text encoder 0.5, UNet 0.8" in told
    assert "note: a ( is never closed" in told


def test_a_sampler_that_looks_twice_a_step_counts_twice(capsys: pytest.CaptureFixture[str]) -> None:
    explain("[a:b:2]", "--steps", 4, "--sampler", "Heun", "--json")

    (part,) = json.loads(capsys.readouterr().out)["parts"]
    assert part["steps"] == [{"first": 1, "last": 3, "text": "a"}, {"first": 4, "last": 8, "text": "b"}]


def test_json_holds_tokens_weights_chunks_and_notes(capsys: pytest.CaptureFixture[str]) -> None:
    explain("(a)) BREAK b", "--json")

    told = json.loads(capsys.readouterr().out)
    ((first, second),) = [text["chunks"] for text in told["parts"][0]["texts"]]
    assert first[0] == {"id": 320, "word": "a", "weight": 1.1}
    assert [token["word"] for token in second] == ["b"]
    assert len(told["notes"]) == 1


def test_with_a_model_the_catalog_says_which_loras_are_meant(
    catalog: Catalog, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    catalog.add(tiny.write_checkpoint(tmp_path / "tiny.safetensors"))
    catalog.add(tiny.write_lora(tmp_path / "kip.safetensors", TO_K))

    assert explain("a <lora:2:0.5>", "-m", "tiny") == 0
    assert "LoRA 2, which is 2 kip: text encoder 0.5" in capsys.readouterr().out
    assert explain("a <lora:kop>", "-m", "tiny") != 0
    assert "kip" in capsys.readouterr().err


def test_with_a_model_embeddings_hypernetworks_and_the_ways_of_its_encoders_are_told(
    catalog: Catalog, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    catalog.add(tiny_families.write_sdxl(tmp_path / "wide.safetensors"))
    vectors = {"clip_l": torch.ones(2, 8), "clip_g": torch.ones(2, 16)}
    save_tensors(tmp_path / "kitty.safetensors", vectors, {})
    catalog.add(tmp_path / "kitty.safetensors", facts=Facts(kind=Kind.EMBEDDING, family="sdxl"))
    write_converted(tmp_path / "ink.safetensors", 16)
    catalog.add(tmp_path / "ink.safetensors", facts=Facts(kind=Kind.HYPERNETWORK, family="sdxl"))

    assert explain("a kitty <hypernet:3:0.5>", "-m", "wide") == 0

    told = capsys.readouterr().out
    assert "read by CLIP-L: its last layer but one; chunks are filled up with token 49407" in told
    assert "read by OpenCLIP bigG: its last layer but one; chunks are filled up with token 0" in told
    assert "kitty, vector 2 of 2" in told
    assert "hypernetwork 3, which is ink: strength 0.5" in told
    assert "embedding 2 kitty" in told
