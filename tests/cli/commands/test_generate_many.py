"""`modelhub generate` with styles, choices, grids, matrices and lists, as a person types it."""

import json
from pathlib import Path
from typing import Any

import pytest

from cli.app import main
from modelhub.catalog import Catalog
from tests import tiny

QUICK = ["--steps", "1", "--size", "64x64", "--seed", "7", "--device", "cpu"]


@pytest.fixture(autouse=True)
def base(catalog: Catalog, tmp_path: Path) -> int:
    return catalog.add(tiny.write_checkpoint(tmp_path / "tiny.safetensors"), name="tiny").id


@pytest.fixture
def draw(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Any:
    """Draws, and gives the documents of the pictures."""

    def run(*arguments: object) -> list[dict[str, Any]]:
        assert main(["generate", *map(str, arguments), *QUICK, "--out", str(tmp_path / "out"), "--json"]) == 0
        documents: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
        return documents

    return run


def error(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    assert main(["generate", *map(str, arguments), *QUICK]) != 0
    return capsys.readouterr().err


def test_styles_go_around_the_prompts(draw: Any, catalog: Catalog) -> None:
    (catalog.workspace.root / "styles.csv").write_text("name,prompt,negative_prompt\nink,ink of {prompt},colour\n")

    (picture,) = draw("a cat", "-n", "blur", "--style", "ink")

    assert picture["request"]["prompt"] == "ink of a cat"
    assert picture["request"]["negative_prompt"] == "blur, colour"


def test_choices_and_wildcards_are_taken_image_by_image_and_every_way_on_request(draw: Any, catalog: Catalog) -> None:
    (catalog.workspace.root / "wildcards").mkdir()
    (catalog.workspace.root / "wildcards" / "colour.txt").write_text("red\nblue\n")

    pictures = draw("a __colour__ {cat|dog}", "--batch", 3)
    every = draw("a __colour__ {cat|dog}", "--every-choice")

    assert [one["seed"] for one in pictures] == [7, 8, 9]
    ways = {f"a {colour} {animal}" for colour in ("red", "blue") for animal in ("cat", "dog")}
    assert {one["request"]["prompt"] for one in pictures} <= ways
    assert [one["request"]["prompt"] for one in every] == ["a red cat", "a red dog", "a blue cat", "a blue dog"]


def test_a_grid_is_drawn_cell_by_cell_and_as_a_sheet(draw: Any) -> None:
    *cells, sheet = draw("a cat", "--grid", "CFG Scale=1,7", "--grid", "Sampler=Euler,Heun")

    assert [(one["request"]["cfg"], one["request"]["sampler"]) for one in cells] == [
        (1.0, "Euler"), (7.0, "Euler"), (1.0, "Heun"), (7.0, "Heun"),
    ]  # fmt: skip
    assert "Script: X/Y/Z plot" in sheet["parameters"]


def test_a_matrix_and_a_file_of_prompts_are_drawn(draw: Any, tmp_path: Path) -> None:
    assert len(draw("a cat | snow | night", "--matrix")) == 5

    (tmp_path / "prompts.txt").write_text("a cat\n--prompt 'a dog' --cfg_scale 2\n")
    cat, dog = draw("", "--prompts", tmp_path / "prompts.txt")
    assert (cat["request"]["prompt"], dog["request"]["prompt"], dog["request"]["cfg"]) == ("a cat", "a dog", 2.0)


def test_what_does_not_go_together_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert "--grid and --matrix do not go together" in error(capsys, "a", "--grid", "Steps=1", "--matrix")
    assert "--matrix and --count 0 do not go together" in error(capsys, "a|b", "--matrix", "--count", 0)
    assert "there is no style 'ink'" in error(capsys, "a", "--style", "ink")
    assert "there is no wildcard 'x'" in error(capsys, "a __x__")
    assert "'stps' is no axis of a grid" in error(capsys, "a", "--grid", "stps=1")
