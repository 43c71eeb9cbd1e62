"""What is said by hand lies over a recipe, and a recipe over a preset."""

from pathlib import Path

import pytest

from cli.app import main
from cli.training.recipe import _name_of
from modelhub.catalog import Catalog
from tests.cli.training.asked import SHORT, lora


def test_flags_win_over_the_recipe_and_the_recipe_over_defaults(
    base: int, images: Path, tmp_path: Path, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The recipe's folder is meant from where it lies, wherever the command is run."""
    recipe = tmp_path / "recipe.toml"
    text = (
        'base = "tiny"\nname = "in-file"\nsteps = 99\nbatch = 3\n[dataset]\nimages = "kip-set"\n[options]\nrank = 3\n'
    )
    recipe.write_text(text)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")

    code = lora("--recipe", recipe, "--steps", 1, "--alpha", 2, "--name", "in-flags", "-q")

    run = catalog.last_run("train")
    assert code == 0
    assert run is not None
    payload = run.payload
    assert (payload["name"], payload["steps"], payload["batch"]) == ("in-flags", 1, 3)
    assert (payload["options"]["rank"], payload["options"]["alpha"]) == (3, 2.0)
    assert payload["dataset"]["images"] == str(images)


def test_without_a_recipe_the_preset_of_the_bases_family_is_begun_with(
    base: int, images: Path, catalog: Catalog, capsys: pytest.CaptureFixture[str]
) -> None:
    lora("--base", base, "--images", images, *SHORT, "--trigger", "mira", "--set", "loss.min_snr_gamma=3")

    run = catalog.last_run("train")
    assert run is not None
    assert "preset character-sd15: " in capsys.readouterr().err
    assert run.payload["dataset"]["captions"]["shuffle"] is True
    assert (run.payload["trigger"], run.payload["loss"]["min_snr_gamma"]) == ("mira", 3.0)


@pytest.mark.parametrize(
    ("method", "preset", "told"),
    [
        ("lora", "word-sd15", "word-sd15 is a preset of textual-inversion"),
        ("lora", "portrait", "there is no preset 'portrait'"),
    ],
)
def test_a_preset_that_does_not_fit_is_refused(
    base: int, images: Path, capsys: pytest.CaptureFixture[str], method: str, preset: str, told: str
) -> None:
    assert main(["train", method, "--base", "tiny", "--images", str(images), "--preset", preset]) == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    ("folder", "name"),
    [("mira", "mira"), ("mira/train", "mira"), ("10_mira girl", "mira girl"), ("sets/Img", "sets"), ("2024_", "2024_")],
)
def test_a_result_is_called_by_the_folder_that_tells_something(tmp_path: Path, folder: str, name: str) -> None:
    assert _name_of({"images": tmp_path / folder}) == name
