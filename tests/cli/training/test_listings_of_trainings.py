"""What `modelhub train runs|show|presets|entries` show."""

from pathlib import Path

import pytest

from cli.app import main
from modelhub.catalog import Catalog
from tests.cli.training.asked import SHORT, lora


def test_trainings_are_listed_and_shown(
    base: int, images: Path, catalog: Catalog, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "runs"]) == 0
    assert "no trainings yet" in capsys.readouterr().out
    lora("--base", base, "--images", images, *SHORT)
    made = catalog.resolve("kip-set")
    capsys.readouterr()

    main(["train", "runs"])
    row = capsys.readouterr().out.splitlines()[1].split()
    assert row[:5] == ["1", "kip-set", "lora", "done", "2/2"]
    assert row[-2:] == [str(made.id), "kip-set"]

    main(["train", "show", "1"])
    said = capsys.readouterr()
    assert str(catalog.workspace.runs / "0001-kip-set" / "loss.png") in said.out
    assert f"base         {base} tiny" in said.out
    assert "judge its copies: modelhub train evaluate 1" in said.err
    assert main(["train", "show", "9"]) == 3


def test_presets_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "presets", "-q"]) == 0
    assert "character-sdxl" in capsys.readouterr().out.splitlines()


def test_a_preset_is_printed_with_its_reasons(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "presets", "character-sd15"]) == 0
    assert "batch = 2                              # enough to steady the gradients" in capsys.readouterr().out


def test_entries_are_listed_by_parts_of_their_names(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "entries", "loss", "kind"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == 'loss.kind = "l2"'
    assert main(["train", "entries", "alpha", "conv"]) == 0
    assert capsys.readouterr().out.startswith("options.conv_alpha  (unset)\n    None takes half of conv_rank.")


@pytest.mark.parametrize("arguments", [["nothing"], ["--method", "dreambooth"]])
def test_entries_that_are_not_there_are_an_error(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    assert main(["train", "entries", *arguments]) == 2
    assert "try: modelhub train entries" in capsys.readouterr().err
