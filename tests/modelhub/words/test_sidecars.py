"""Notes of other tools beside a file are read with suspicion, and never stand for what was measured."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelhub.words.sidecars import Sidecar, by_stem, read_sidecars, sidecar_names, sidecar_stamp

VERSION: dict[str, Any] = {
    "id": 456,
    "modelId": 123,
    "name": "v2",
    "baseModel": "Pony",
    "trainedWords": ["kip, robot,", "red scarf"],
    "publishedAt": "2025-01-01T00:00:00Z",
    "description": "<p>Version</p>",
    "files": [{"name": "other.vae.pt"}, {"name": "kip.safetensors", "primary": True, "hashes": {"SHA256": "AB" * 32}}],
    "model": {"name": "Kip", "type": "LORA", "description": "<p>A <b>robot</b></p>", "nsfw": False, "tags": ["robot"]},
    "downloadUrl": "https://civitai.com/api/download/models/456?token=secret",
}
CM_INFO = {
    "ModelId": 123,
    "VersionId": 456,
    "ModelName": "Kip",
    "VersionName": "v2",
    "BaseModel": "SDXL 1.0",
    "TrainedWords": ["kip"],
    "Hashes": {"SHA256": "CD" * 32},
}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "kip.v2.safetensors"
    path.write_bytes(b"")
    return path


def beside(model: Path, ending: str, content: object) -> Path:
    at = model.with_name("kip.v2" + ending)
    at.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return at


def test_a_model_alone_has_an_empty_sidecar(model: Path) -> None:
    assert read_sidecars(model) == Sidecar()
    assert sidecar_stamp(model) == ""


def test_webuis_own_notes_are_the_owners_words(model: Path) -> None:
    beside(
        model,
        ".json",
        {
            "activation text": "kip, robot <lora:kip:1>",
            "notes": "works at <lora:kip:0.8>",
            "description": "<p>A robot</p>",
            "preferred weight": 0.8,
            "sd version": "SDXL",
        },
    )
    read = read_sidecars(model)
    assert (read.trigger_words, read.note) == (("kip, robot",), "works at <lora:kip:0.8>")
    assert (read.weight, read.family, read.sources) == (0.8, "sdxl", {})


def test_a_hubs_account_of_a_version_becomes_a_source(model: Path) -> None:
    beside(model, ".civitai.info", VERSION)
    read = read_sidecars(model)
    assert (read.trigger_words, read.family, read.note) == (("kip, robot", "red scarf"), "sdxl", "A robot")
    assert read.sources == {
        "civitai:123@456": {
            "name": "Kip",
            "version": "v2",
            "type": "LORA",
            "base_model": "Pony",
            "published_at": "2025-01-01T00:00:00Z",
            "trained_words": ["kip, robot", "red scarf"],
            "tags": ["robot"],
            "description": "A robot",
            "file": "kip.safetensors",
            "claimed_sha256": "ab" * 32,
            "nsfw": False,
        }
    }


@pytest.mark.parametrize(
    ("ending", "content", "family"),
    [
        (".cm-info.json", CM_INFO, "sdxl"),
        (".metadata.json", {"base_model": "Flux.1 D", "civitai": {**VERSION, "trainedWords": ["kip"]}}, "flux1"),
        (
            ".hanakura.json",
            {"model_id": 123, "version_id": 456, "base_model": "SD 1.5", "trained_words": ["kip"], "sha256": "00"},
            "sd1",
        ),
    ],
)
def test_other_tools_notes_lead_to_the_same_source(model: Path, ending: str, content: object, family: str) -> None:
    beside(model, ending, content)
    read = read_sidecars(model)
    assert (list(read.sources), read.trigger_words, read.family) == (["civitai:123@456"], ("kip",), family)


def test_lora_managers_notes_and_strength_are_the_owners(model: Path) -> None:
    beside(model, ".metadata.json", {"notes": "mine", "modelDescription": "theirs", "usage_tips": '{"strength": 0.6}'})
    read = read_sidecars(model)
    assert (read.note, read.weight) == ("mine", 0.6)


def test_the_owners_words_come_before_the_hubs(model: Path) -> None:
    beside(model, ".civitai.info", VERSION)
    beside(model, ".cm-info.json", CM_INFO)
    beside(model, ".json", {"activation text": "Kip", "notes": "mine", "sd version": "SD1"})
    read = read_sidecars(model)
    assert read.trigger_words == ("Kip", "kip, robot", "red scarf")
    assert (read.note, read.family) == ("mine", "sd1")
    assert read.sources["civitai:123@456"]["claimed_sha256"] == "ab" * 32


@pytest.mark.parametrize(
    ("text", "prediction"),
    [
        (b'model:\n  params:\n    parameterization: "v"\n', "v"),
        (b"    parameterization: eps", "epsilon"),
        (b"# parameterization: v\nmodel: {}", None),
        (b"\xff\xfe[" * 1000, None),
    ],
)
def test_a_config_beside_it_tells_the_prediction(model: Path, text: bytes, prediction: str | None) -> None:
    beside(model, ".yaml", text)
    assert read_sidecars(model).prediction_type == prediction


def test_the_preview_made_for_it_comes_before_a_picture_of_its_name(model: Path) -> None:
    beside(model, ".png", b"")
    assert read_sidecars(model).preview == model.with_name("kip.v2.png")
    beside(model, ".preview.webp", b"")
    assert read_sidecars(model).preview == model.with_name("kip.v2.preview.webp")


@pytest.mark.parametrize(
    ("content", "why"),
    [(b"{", "no map"), (b"[]", "no map"), (b"[" * 900_000, "no map"), (b" " * 1_000_001, "1,000,000")],
)
def test_a_broken_file_is_passed_over_with_its_reason(model: Path, content: bytes, why: str) -> None:
    beside(model, ".civitai.info", content)
    beside(model, ".json", {"activation text": "kip"})
    read = read_sidecars(model)
    assert read.trigger_words == ("kip",)
    assert read.problems[0].startswith("kip.v2.civitai.info: ")
    assert why in read.problems[0]


def test_what_is_no_file_is_not_opened(model: Path) -> None:
    os.mkfifo(model.with_name("kip.v2.json"))
    assert read_sidecars(model) == Sidecar()
    assert read_sidecars(model, ["kip.v2.json"]).problems == ("kip.v2.json: it is no file",)


def test_names_that_are_known_to_be_there_are_not_looked_for(model: Path) -> None:
    beside(model, ".json", {"activation text": "kip"})
    assert read_sidecars(model, siblings=["kip.v2.safetensors"]) == Sidecar()
    assert read_sidecars(model, siblings=["kip.v2.json"]).trigger_words == ("kip",)
    assert read_sidecars(model, siblings=["kip.v2.json", "kip.v2.png"]) == read_sidecars(
        model, ["kip.v2.json", "kip.v2.png"]
    )


def test_the_stamp_changes_when_a_file_comes_changes_or_goes(model: Path) -> None:
    stamps = [sidecar_stamp(model)]
    note = beside(model, ".json", {"notes": "a"})
    stamps.append(read_sidecars(model).stamp)
    beside(model, ".json", {"notes": "longer"})
    stamps.append(sidecar_stamp(model))
    beside(model, ".preview.png", b"x")
    stamps.append(sidecar_stamp(model))
    note.unlink()
    stamps.append(sidecar_stamp(model))
    assert len(set(stamps)) == 5
    assert read_sidecars(model).stamp == stamps[-1]


def test_a_folder_is_grouped_by_stem_once(model: Path) -> None:
    names = ["a.safetensors", "a.json", "a.preview.png", "a.metadata.json", "b.txt", "数.yaml"]
    grouped = by_stem(names)
    assert grouped["a"] == ["a.json", "a.preview.png", "a.metadata.json"]
    assert grouped["数"] == ["数.yaml"]
    assert "b" not in grouped


def test_a_model_folder_keeps_the_dots_of_its_name(tmp_path: Path) -> None:
    assert "sd-1.5.preview.png" in sidecar_names(tmp_path / "sd-1.5")
    assert "kip.v2.json" in sidecar_names(tmp_path / "kip.v2.safetensors")


_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from([*VERSION, *CM_INFO, "civitai", "notes"]), inner),
)
_ENDINGS = st.sampled_from([".json", ".civitai.info", ".cm-info.json", ".metadata.json", ".hanakura.json", ".yaml"])


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(_ENDINGS, _JSON)
def test_any_json_is_survived_and_gives_what_can_be_stored(tmp_path: Path, ending: str, content: Any) -> None:
    (tmp_path / f"m{ending}").write_text(json.dumps(content))
    read = read_sidecars(tmp_path / "m.safetensors", [f"m{ending}"])
    assert json.dumps(dict(read.sources), allow_nan=False, ensure_ascii=False).encode()
    assert "".join(read.trigger_words).isprintable()


def test_the_note_of_a_pull_tells_what_the_hub_said(tmp_path: Path) -> None:
    said = {"name": "Kip", "trained_words": ["kip"], "base_model": "SDXL 1.0", "nsfw": False, "downloads": 7}
    licence = {"name": "mit", "sell_images": "yes", "because": ["its card says so"]}
    note = {"schema": 1, "ref": "hf:kip/styles/kip.safetensors@" + "a" * 40, "said": {**said, "licence": licence}}
    (tmp_path / "kip.modelhub.json").write_text(json.dumps(note))
    read = read_sidecars(tmp_path / "kip.safetensors")
    assert (read.trigger_words, read.family) == (("kip",), "sdxl")
    assert read.sources == {note["ref"]: {**said, "licence": licence}}


@pytest.mark.parametrize(
    "said", [None, [], "x", {"name": {"a": {"b": 1}}}, {"name": "\x1b[31mred"}, {"tags": [1, None]}]
)
def test_a_note_of_a_pull_that_lies_does_no_harm(tmp_path: Path, said: Any) -> None:
    (tmp_path / "kip.modelhub.json").write_text(json.dumps({"ref": "civitai:1@2\x1b", "said": said}))
    read = read_sidecars(tmp_path / "kip.safetensors")
    assert "\x1b" not in json.dumps(dict(read.sources), ensure_ascii=False)
