"""`generate --translate` shows the English prompt and draws with it."""

from pathlib import Path

import pytest
from PIL import Image

from cli.app import main
from modelhub.catalog import Catalog
from tests import tiny


def test_the_translation_is_shown_and_written_into_the_picture(
    catalog: Catalog, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    catalog.add(tiny.write_checkpoint(tmp_path / "tiny.safetensors"), name="tiny")
    drawn = ["--steps", "1", "--size", "64x64", "--seed", "7", "--device", "cpu", "--out", str(tmp_path / "out")]

    code = main(["generate", "红色的鱼，魑魅", "-n", "最差质量", "-m", "tiny", "--translate", *drawn])

    said = capsys.readouterr()
    assert code == 0, said.err
    assert "translated: red fish, 魑魅" in said.err
    assert "unknown, left as they are: 魑魅" in said.err
    text = Image.open(said.out.strip()).text["parameters"]  # type: ignore[attr-defined]
    assert text.startswith("red fish, 魑魅\nNegative prompt: worst quality\nSteps: 1, ")


def test_what_a_picture_remembers_is_translated_too(
    catalog: Catalog, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    catalog.add(tiny.write_checkpoint(tmp_path / "tiny.safetensors"), name="tiny")
    (tmp_path / "a.txt").write_text("红色的鱼\nSteps: 1, Sampler: Euler, Seed: 7, Size: 64x64")

    assert main(["generate", "--from", str(tmp_path / "a.txt"), "--translate", "--json"]) == 0

    assert '"prompt": "red fish"' in capsys.readouterr().out
