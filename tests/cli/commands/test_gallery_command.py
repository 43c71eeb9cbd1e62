"""`modelhub gallery`: pictures are listed, counted, rated and shown."""

from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin

from tests.cli.conftest import Run

FIELDS = "Steps: 20, Sampler: Euler a, Seed: 7, Size: 16x8, Model hash: 0123456789, Model: old"


@pytest.fixture
def folder(run: Run, tmp_path: Path) -> Path:
    root = tmp_path / "pictures"
    root.mkdir()
    for name, prompt in (("a", "a castle"), ("b", "a castle"), ("c", "a lake")):
        info = PngImagePlugin.PngInfo()
        info.add_text("parameters", f"{prompt}\n{FIELDS}, Note: {name}")
        Image.new("RGB", (16, 8)).save(root / f"{name}.png", pnginfo=info)
    run("init")
    assert run("gallery", "add", root).out == f"{root}: 3 added, 0 moved, 0 known already\n"
    return root


def test_pictures_are_listed_by_words(run: Run, folder: Path) -> None:
    assert set(run("gallery", "-q").out.split()) == {str(folder / f"{one}.png") for one in "abc"}
    assert run("gallery", "list", "lake", "-q").out == f"{folder / 'c.png'}\n"
    assert "a castle" in run("gallery").out


@pytest.mark.parametrize(("by", "groups"), [("prompt", ["a castle", "a lake"]), ("model", ["old"])])
def test_pictures_are_counted(run: Run, folder: Path, by: str, groups: list[str]) -> None:
    assert run("gallery", "--by", by, "-q").out.splitlines() == groups


def test_a_rating_stays_and_can_be_asked_for(run: Run, folder: Path) -> None:
    assert run("gallery", "rate", folder / "c.png", 4).code == 0

    assert run("gallery", "--rating", 4, "-q").out == f"{folder / 'c.png'}\n"
    run("gallery", "rate", folder / "c.png", 0)
    assert run("gallery", "--rating", 1, "-q").out == ""


def test_one_picture_tells_all(run: Run, folder: Path) -> None:
    told = run("gallery", "show", folder / "c.png").out

    assert "16x8" in told
    assert "model old 0123456789, which the catalog does not hold: modelhub pull civitai:hash:0123456789" in told
    assert "a lake" in told
    assert "not in the catalog: old 0123456789" in run("where", folder / "c.png").out


@pytest.mark.parametrize(
    "words", [("rate", "x"), ("rate", "x", "6"), ("show",), ("add",), ("castle",), ("list", "--since", "monday")]
)
def test_what_makes_no_sense_is_refused(run: Run, folder: Path, words: tuple[str, ...]) -> None:
    assert run("gallery", *words).code == 2


def test_an_unknown_picture_is_named(run: Run, folder: Path) -> None:
    assert "the gallery holds no picture nothing.png" in run("gallery", "show", "nothing.png").err
