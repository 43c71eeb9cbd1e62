"""The table of phrases is clean, and a user's own file adds to it."""

import re
from importlib import resources
from pathlib import Path

import pytest

from inference.prompt.phrases import Phrase, as_prompt, phrases, ranks, read_terms


def _lines() -> list[str]:
    text = resources.files("inference.prompt").joinpath("phrases.tsv").read_text("utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("# ")]


def test_the_table_is_large_and_says_nothing_twice() -> None:
    chinese = [line.split("\t")[0] for line in _lines()]
    assert len(chinese) >= 1500
    assert len(chinese) == len(set(chinese)) == len(phrases())


def test_every_line_is_chinese_with_a_lower_case_ascii_tag() -> None:
    odd = [
        line
        for line in _lines()
        if not re.fullmatch(r"[a-z0-9]*[\u4e00-\u9fff][\u4e00-\u9fffa-z0-9]*\t[a-z0-9][a-z0-9 .'()-]*", line)
    ]
    assert odd == []


def test_a_size_is_said_before_a_colour() -> None:
    assert ranks()["very"] < ranks()["long"] < ranks()["red"] < ranks()["silk"]


@pytest.mark.parametrize(
    ("tag", "text"),
    [("long_hair", "long hair"), ("miku_(vocaloid)", r"miku \(vocaloid\)"), ("^_^", "^_^"), ("o_o", "o_o")],
)
def test_a_tag_is_written_as_prompts_hold_it(tag: str, text: str) -> None:
    assert as_prompt(tag) == text


def test_own_terms_are_the_names_in_other_scripts(tmp_path: Path) -> None:
    file = tmp_path / "terms.csv"
    file.write_text('hatsune_miku,4,90000,"miku,初音未来,初音"\nhair_ribbon,发绳\n1girl,0,5\n', encoding="utf-8-sig")
    miku, ribbon = Phrase("hatsune_miku"), Phrase("hair_ribbon")
    assert read_terms(file) == {"初音未来": miku, "初音": miku, "发绳": ribbon}
