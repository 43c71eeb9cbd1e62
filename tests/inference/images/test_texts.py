"""Pictures tell which models drew them, whoever wrote them."""

from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin

from inference.images.texts import NamedModel, named_models, read_texts, seed_of
from inference.request import GenerationRequest, LoraUse
from modelhub.errors import BrokenFile, MissingFile

WEBUI = (
    "a castle <lora:kip:1>\nNegative prompt: Model hash: no\nSteps: 20, Seed: 42, Model hash: 6CE0161689, Model: sd15, "
    'VAE hash: 735e4c3a44, VAE: vae-ft.pt, Lora hashes: "kip: 0123456789ab, big one: 0xabcdef0123", '
    'TI hashes: "easy: deadbeefdead", Hashes: {"model": "6ce0161689", "lora:other": "aaaabbbbcccc"}, Version: 1.10'
)


def png(path: Path, **texts: str) -> Path:
    info = PngImagePlugin.PngInfo()
    for key, text in texts.items():
        info.add_text(key, text)
    Image.new("RGB", (8, 8)).save(path, pnginfo=info)
    return path


def test_webuis_hashes_are_all_read() -> None:
    assert named_models({"parameters": WEBUI}) == (
        NamedModel("model", "sd15", "6ce0161689"),
        NamedModel("vae", "vae-ft.pt", "735e4c3a44"),
        NamedModel("lora", "kip", "0123456789ab"),
        NamedModel("lora", "big one", "abcdef0123"),
        NamedModel("embedding", "easy", "deadbeefdead"),
        NamedModel("model", "", "6ce0161689"),
        NamedModel("lora", "other", "aaaabbbbcccc"),
    )
    assert seed_of({"parameters": WEBUI}) == 42


def test_our_own_request_goes_before_the_hashes(tmp_path: Path) -> None:
    request = GenerationRequest(prompt="x", model="a" * 64, loras=(LoraUse(ref="B" * 64),))
    texts = read_texts(png(tmp_path / "a.png", parameters=WEBUI, modelhub=request.to_json()))
    assert named_models(texts) == (NamedModel("model", "", "a" * 64), NamedModel("lora", "", "b" * 64))


@pytest.mark.parametrize("text", ["", "[]", "{", '{"model": 3, "loras": 4}', '{"loras": [1, {"ref": 2}]}'])
def test_a_broken_request_names_nothing(text: str) -> None:
    assert named_models({"modelhub": text}) == ()


def test_a_picture_without_texts_names_nothing(tmp_path: Path) -> None:
    texts = read_texts(png(tmp_path / "a.png"))
    assert (named_models(texts), seed_of(texts)) == ((), None)


@pytest.mark.parametrize("suffix", [".jpg", ".webp"])
def test_the_comment_of_other_formats_is_read(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    exif = Image.Exif()
    exif[0x8769] = {0x9286: b"UNICODE\0" + "水墨, Seed: 7".encode("utf-16-be")}
    Image.new("RGB", (8, 8)).save(path, exif=exif)
    assert read_texts(path)["parameters"] == "水墨, Seed: 7"


def test_what_is_no_picture_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingFile):
        read_texts(tmp_path / "none.png")
    (tmp_path / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\nnot at all")
    with pytest.raises(BrokenFile, match=r"bad\.png"):
        read_texts(tmp_path / "bad.png")
