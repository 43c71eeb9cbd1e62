"""`where` follows pictures back to their models, and models to what came of them."""

import hashlib
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin

from modelhub.catalog import Catalog
from modelhub.workspace import Workspace
from tests.cli.conftest import Run

INFOTEXT = "a castle\nSteps: 20, Seed: 42, Model hash: {digest}"


@pytest.fixture
def drawn(run: Run, kip: Path, vae: Path, workspace: Workspace) -> Path:
    """A picture that run 2 drew with models 1 and 2; run 1 trained 2 on 1."""
    run("add", vae, kip)
    path = workspace.outputs / "1.png"
    path.parent.mkdir()
    with Catalog.open(workspace) as catalog:
        text = INFOTEXT.format(digest=catalog.sha256(catalog.artifact(1))[:10])
        save(path, text)
        trained = catalog.begin_run("train", {"dataset": {"images": "/data/kip"}}, [("base", 1)])
        catalog.finish_run(trained, outputs=[2])
        number = catalog.begin_run("generate", {"prompt": "a castle"}, [("model", 1), ("lora", 2)])
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        catalog.pictures.record(number, path, sha256=sha256, width=8, height=8, infotext=text)
        catalog.finish_run(number)
    return path


def save(path: Path, parameters: str) -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("parameters", parameters)
    Image.new("RGB", (8, 8)).save(path, pnginfo=info)


def test_a_picture_is_known_by_its_path_even_when_it_is_gone(run: Run, drawn: Path) -> None:
    drawn.unlink()
    told = run("where", drawn).out
    for part in ("known by path, run 2", "model  1 (plain-vae)", "lora   2 (kip)", "seed 42", "a castle"):
        assert part in told


def test_a_copy_is_known_by_its_bytes(run: Run, drawn: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.png"
    copy.write_bytes(drawn.read_bytes())
    document = run("where", copy, "--json").json
    assert (document["known_by"], document["run"], document["seed"]) == ("bytes", 2, 42)
    assert document["request"]["prompt"] == "a castle"


def test_a_stranger_is_known_by_its_own_text(run: Run, drawn: Path, tmp_path: Path) -> None:
    with Image.open(drawn) as image:
        text = image.info["parameters"]
    save(tmp_path / "other.png", text + ', Lora hashes: "lost: 0123456789ab"')
    told = run("where", tmp_path / "other.png").out
    assert "known by its own text\n  model  1 (plain-vae)\n" in told
    assert "lora   not in the catalog: lost 0123456789ab" in told


def test_a_picture_that_says_nothing_is_told_so(run: Run, drawn: Path, tmp_path: Path) -> None:
    Image.new("RGB", (4, 4)).save(tmp_path / "plain.png")
    assert "nothing tells what drew it" in run("where", tmp_path / "plain.png").out
    assert run("where", tmp_path / "none.png").code == 3


def test_a_model_tells_what_made_it_and_what_it_drew(run: Run, drawn: Path) -> None:
    told = run("where", "kip").out
    for part in ("made by run 1: train", "base   1 (plain-vae)", "data   /data/kip", "drew 1 picture", str(drawn)):
        assert part in told


def test_a_base_tells_what_was_trained_on_it(run: Run, drawn: Path) -> None:
    told = run("where", "1").out
    assert "not made here" in told
    assert "trained 2 (kip)" in told
    document = run("where", "1", "--json").json
    assert (document["uses"]["pictures"], document["uses"]["trained"]) == (1, [2])


def test_an_unknown_model_is_not_found(run: Run, drawn: Path) -> None:
    assert run("where", "nobody").code == 3
