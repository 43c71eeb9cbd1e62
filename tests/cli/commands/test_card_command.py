"""`card` prints a page or writes it whole, and replaces nothing unasked."""

import json
from pathlib import Path

from tests.cli.conftest import Run


def test_a_card_is_printed_or_written(run: Run, kip: Path, tmp_path: Path) -> None:
    run("add", kip)
    shown = run("card", "kip").out
    assert shown.startswith("---\nlibrary_name: diffusers\n")
    ran = run("card", "kip", "--out", tmp_path / "cards" / "kip.md")
    assert ran.out == f"wrote {tmp_path / 'cards' / 'kip.md'}\n"
    assert (tmp_path / "cards" / "kip.md").read_text(encoding="utf-8") == shown
    assert run("card", "kip", "--json").json["card"] == shown


def test_a_card_that_is_there_is_replaced_only_when_told(run: Run, kip: Path, tmp_path: Path) -> None:
    run("add", kip)
    mine = tmp_path / "README.md"
    mine.write_text("mine")
    ran = run("card", "kip", "--out", mine)
    assert (ran.code, mine.read_text()) == (4, "mine")
    assert "is there already" in ran.err
    assert run("card", "kip", "--out", mine, "-y", "-q").out == f"{mine}\n"
    assert mine.read_text() != "mine"


def test_the_weight_in_webuis_notes_is_used(run: Run, kip: Path) -> None:
    kip.with_suffix(".json").write_text(json.dumps({"activation text": "kip robot", "preferred weight": 0.7}))
    run("add", kip)
    assert "kip robot <lora:kip:0.7>" in run("card", "kip").out
