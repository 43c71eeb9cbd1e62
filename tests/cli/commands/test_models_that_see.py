"""Taggers, captioners and encoders by catalog ID: from a hub to captions, each refused in the place of another."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from modelhub.catalog import Catalog
from modelhub.workspace import Workspace
from tests import tables
from tests.cli.conftest import Run
from tests.servers.huggingface import HuggingFace
from tests.trainers.captioners import pickle_weights, write_captioner, write_tagger
from tests.trainers.pictures import write_picture

WD, BLIP = "SmilingWolf/wd-swinv2-tagger-v3", "Salesforce/blip-image-captioning-base"


@pytest.fixture(scope="module")
def blip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_captioner(tmp_path_factory.mktemp("blip") / "blip")


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    write_picture(tmp_path / "set" / "fox.png", caption=None)
    return tmp_path / "set"


@pytest.fixture
def wd(huggingface: HuggingFace, tmp_path: Path) -> str:
    """A tagger's repository, with the same net for other programs."""
    others = {"config.json": b'{"architecture": "swinv2"}', "model.safetensors": bytes(9), "model.msgpack": b"x"}
    huggingface.put(WD, {**contents(write_tagger(tmp_path / "wd")), **others, "README.md": b"a tagger"})
    return f"hf:{WD}"


def contents(folder: Path) -> dict[str, bytes]:
    return {one.name: one.read_bytes() for one in folder.iterdir()}


def said(folder: Path) -> str:
    return (folder / "fox.txt").read_text(encoding="utf-8").strip()


def test_a_tagger_comes_as_one_model_and_is_asked_by_its_id(
    run: Run, wd: str, pictures: Path, workspace: Workspace
) -> None:
    pulled = run("pull", wd)
    assert pulled.code == 0, pulled.err
    folder = workspace.models / "tagger" / "wd-swinv2-tagger-v3"
    assert sorted(contents(folder)) == ["config.json", "model.onnx", "selected_tags.csv"]
    with Catalog.open(workspace) as catalog:
        one = catalog.artifact(1)
        assert (one.facts.kind, one.facts.format, one.facts.precision) == ("tagger", "onnx/wd14", "F32")
    assert run("pull", wd, "--json").json["pulled"] == []

    for ref in ("1", "wd-swinv2-tagger-v3", one.digests["sha256"][:10], wd):
        ran = run("dataset", "caption", pictures, "--tagger", ref, "--device", "cpu", "--overwrite")
        assert ran.code == 0, ran.err
    assert "fox_(zoo)" in said(pictures)


def test_what_belongs_to_a_tagger_stays_with_it(
    run: Run, wd: str, huggingface: HuggingFace, tmp_path: Path, workspace: Workspace
) -> None:
    run("pull", wd)
    tags = workspace.models / "tagger" / "wd-swinv2-tagger-v3" / "selected_tags.csv"
    assert run("verify", "1").code == 0
    copied = run("add", tmp_path / "wd", "--copy", "--name", "second")
    assert copied.code == 0, copied.err
    assert run("scan").code == 0
    tags.write_text(tags.read_text(encoding="utf-8").replace("red", "rad"), encoding="utf-8")
    assert run("verify", "1").code != 0

    assert run("rm", "1", "--yes").code == 0
    assert not tags.exists()
    assert run("trash", "restore", "1").code == 0
    assert tags.is_file()


def test_a_captioner_in_pickles_is_converted_whole_and_asked_by_its_address(
    run: Run, huggingface: HuggingFace, blip: Path, pictures: Path, tmp_path: Path, workspace: Workspace
) -> None:
    torch.save(load_file(blip / "model.safetensors"), tmp_path / "pytorch_model.bin")
    files = {name: content for name, content in contents(blip).items() if name != "model.safetensors"}
    huggingface.put(BLIP, {**files, "pytorch_model.bin": (tmp_path / "pytorch_model.bin").read_bytes()})
    assert run("pull", f"hf:{BLIP}").code == 0
    asked = ("dataset", "caption", pictures, "--captioner", f"hf:{BLIP}", "--max-tokens", "6", "--device", "cpu")

    refused = run(*asked)
    assert (refused.code, "try: modelhub convert 1" in refused.err) == (6, True)
    assert run("convert", "1").code == 0
    captioned = run(*asked)

    assert captioned.code == 0, captioned.err
    assert said(pictures)
    folder = workspace.models / "captioner" / "blip-image-captioning-base"
    assert sorted(contents(folder)) == sorted(contents(blip))
    with Catalog.open(workspace) as catalog:
        assert catalog.resolve(f"hf:{BLIP}").facts.algorithm == "blip"


def test_a_captioner_in_many_pickles_is_converted_whole_too(
    run: Run, huggingface: HuggingFace, pictures: Path, tmp_path: Path, workspace: Workspace
) -> None:
    net = write_captioner(tmp_path / "net", "blip2-opt", shard="20KB")
    before = contents(net)
    huggingface.put("Salesforce/blip2-opt-2.7b", contents(pickle_weights(net)))
    pulled = run("pull", "hf:Salesforce/blip2-opt-2.7b")
    assert pulled.code == 0, pulled.err
    asked = ("dataset", "caption", pictures, "--captioner", "blip2-opt-2.7b", "--max-tokens", "6", "--device", "cpu")

    refused = run(*asked)
    assert (refused.code, "try: modelhub convert 1" in refused.err) == (6, True)
    converted = run("convert", "1")
    assert converted.code == 0, converted.err
    captioned = run(*asked)

    assert captioned.code == 0, captioned.err
    assert said(pictures)
    assert set(contents(workspace.models / "captioner" / "blip2-opt-2.7b")) == set(before)
    with Catalog.open(workspace) as catalog:
        assert catalog.resolve("hf:Salesforce/blip2-opt-2.7b").facts.algorithm == "blip-2"


def test_a_folder_of_pickles_outside_the_catalog_is_converted_as_its_refusal_says(
    run: Run, pictures: Path, tmp_path: Path, catalog: Catalog
) -> None:
    net = pickle_weights(write_captioner(tmp_path / "net", shard="20KB"))
    asked = ("dataset", "caption", pictures, "--max-tokens", "6", "--device", "cpu", "--captioner")

    assert f"try: modelhub convert {net}" in run(*asked, net).err
    assert run("convert", net, "--out", tmp_path / "one.safetensors").code == 2
    converted = run("convert", net)
    assert converted.code == 0, converted.err
    captioned = run(*asked, tmp_path / "net-safetensors")
    assert captioned.code == 0, captioned.err


def test_florence_comes_as_one_model_and_does_the_task_that_is_named(
    run: Run, huggingface: HuggingFace, pictures: Path, tmp_path: Path
) -> None:
    address = "florence-community/Florence-2-base"
    huggingface.put(address, contents(write_captioner(tmp_path / "net", "florence2")))
    assert run("pull", f"hf:{address}").code == 0
    assert "captioner" in run("ls", "--kind", "captioner").out
    asked = ("dataset", "caption", pictures, "--captioner", f"hf:{address}", "--max-tokens", "6", "--device", "cpu")

    refused = run(*asked, "--task", "detaled_caption")
    assert refused.code == 2
    assert "caption, detailed_caption, more_detailed_caption" in refused.err
    captioned = run(*asked, "--task", "caption")
    assert captioned.code == 0, captioned.err
    assert said(pictures)


@pytest.mark.parametrize(
    ("flag", "kind", "example"),
    [("--tagger", "tagger", WD), ("--captioner", "captioner", "florence-community/Florence-2-base")],
)
def test_another_kind_is_refused_with_what_to_pull_or_to_choose_from(
    flag: str,
    kind: str,
    example: str,
    run: Run,
    catalog: Catalog,
    kip: Path,
    blip: Path,
    pictures: Path,
    tmp_path: Path,
) -> None:
    catalog.add(kip)

    for ref, told in (("1", f"1 (kip) is a lora, not a {kind}"), ("nope", "holds no model 'nope'")):
        ran = run("dataset", "caption", pictures, flag, ref)
        assert told in ran.err
        assert f"try: modelhub pull hf:{example}" in ran.err

    catalog.add(write_tagger(tmp_path / "wd") if kind == "tagger" else blip)
    assert f"try: modelhub ls --kind {kind}" in run("dataset", "caption", pictures, flag, "1").err


def test_a_bare_number_is_a_catalog_id_whatever_lies_there(
    run: Run, catalog: Catalog, kip: Path, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog.add(kip)
    write_tagger(tmp_path / "1")
    monkeypatch.chdir(tmp_path)

    assert "is a lora, not a tagger" in run("dataset", "caption", pictures, "--tagger", "1").err
    assert run("dataset", "caption", pictures, "--tagger", "./1", "--device", "cpu").code == 0


def test_an_image_encoder_is_found_by_its_kind(run: Run, catalog: Catalog, tmp_path: Path) -> None:
    shapes = {
        "vision_model.embeddings.patch_embedding.weight": (32, 3, 14, 14),
        "vision_model.encoder.layers.0.self_attn.q_proj.weight": (32, 32),
    }
    catalog.add(tables.write(tmp_path / "sees.safetensors", shapes))

    assert "sees" in run("ls", "--kind", "image_encoder").out
