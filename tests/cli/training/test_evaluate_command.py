"""`modelhub train evaluate`, as a person types it."""

from pathlib import Path

import pytest

from cli.app import main
from modelhub.catalog import Catalog
from tests.cli.training.asked import SHORT, lora


def test_evaluate_tells_the_best_pair_and_notes_its_weight(
    base: int, images: Path, catalog: Catalog, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lora("--base", base, "--images", images, *SHORT, "--save-every", 1, "-q") == 0
    run = catalog.last_run("train")
    assert run is not None
    capsys.readouterr()
    looks = ["--strengths", "0.5,1", "--prompt", "ramp", "--seeds", "1", "--steps", "1"]

    assert main(["train", "evaluate", str(run.id), *looks, "--device", "cpu"]) == 0

    said = capsys.readouterr()
    lines = said.out.splitlines()
    assert lines[0].split() == ["STEP", "STRENGTH", "LIKENESS", "ABOVE", "BASE", "DRIFT", "HELD-OUT", "LOSS"]
    assert len([line for line in lines[1:5] if line.startswith("*")]) == 1
    best = next(line for line in lines if line.startswith("best: "))
    number = int(best.partition("which is ")[2].split()[0])
    assert catalog.artifact(number).weight in (0.5, 1.0)
    assert f"--lora {number}" in said.err


def test_strengths_that_are_none_are_refused(base: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "evaluate", "1", "--strengths", "strong"]) == 2
    assert "'strong' is no row of strengths" in capsys.readouterr().err
