"""A beginning becomes tags, Chinese phrases and models, the nearest first."""

from pathlib import Path

import pytest

from inference.prompt.completion import Named, asks_for_lora, best, models, tags, wildcards
from inference.prompt.wildcards import Wildcards

CSV = """long_hair,0,4000000,"longhair,/lh"
long_sleeves,0,1500000,
very_long_hair,0,900000,
belong,0,7,
long,0,3,
hatsune_miku_(vocaloid),4,100000,"miku,初音未来"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "tags.csv"
    path.write_text(CSV, encoding="utf-8")
    return path


def _inserts(beginning: str, *files: Path, limit: int = 4) -> list[str]:
    return [one.insert for one in best(tags(beginning, files), limit)]


def test_the_very_word_comes_first_then_beginnings_by_count_then_later_words(file: Path) -> None:
    assert _inserts("long", file) == ["long", "long hair", "long sleeves", *_inserts("long", file)[3:]]
    assert _inserts("long", file, limit=99).index("very long hair") > _inserts("long", file, limit=99).index(
        "long hair"
    )
    assert "belong" not in _inserts("long", file, limit=99)


def test_underscores_spaces_and_case_do_not_matter(file: Path) -> None:
    assert _inserts("LONG_h", file)[0] == _inserts("long h", file)[0] == "long hair"


def test_another_name_finds_the_tag_and_is_told(file: Path) -> None:
    (miku,) = best(tags("初音", [file]), 5)
    assert (miku.insert, miku.alias, miku.count) == (r"hatsune miku \(vocaloid\)", "初音未来", 100000)


def test_chinese_finds_our_own_phrases_and_each_text_once(file: Path) -> None:
    assert _inserts("长发")[0] == "long hair"
    assert _inserts("long hair", file, limit=99).count("long hair") == 1
    assert best(tags("long hair", [file]), 1)[0].count == 4000000


@pytest.mark.parametrize("nothing", ["", " ", "_", "zzzzqq"])
def test_nothing_completes_to_nothing(file: Path, nothing: str) -> None:
    assert _inserts(nothing, file) == []


@pytest.mark.parametrize(
    ("beginning", "asked"),
    [("<", True), ("<lo", True), ("<lora:", True), ("<lyco:k", True), ("<hy", False), ("<x:", False), ("lora", False)],
)
def test_angle_brackets_ask_for_loras(beginning: str, asked: bool) -> None:
    assert asks_for_lora(beginning) is asked


def test_a_lora_is_found_by_name_and_alias_and_inserted_whole() -> None:
    held = [Named("kip", ("kip_v3",)), Named("水墨", ("ink",))]
    assert {one.insert for one in models("<lora:", held, "lora")} == {"<lora:kip:1>", "<lora:水墨:1>"}
    (ink,) = models("<lora:in", held, "lora")
    assert (ink.insert, ink.alias) == ("<lora:水墨:1>", "ink")


def test_an_embedding_is_inserted_by_its_name() -> None:
    (found,) = models("easy", [Named("easynegative", ()), Named("bad-hands", ())], "embedding")
    assert (found.kind, found.insert) == ("embedding", "easynegative")


@pytest.fixture
def files(tmp_path: Path) -> Wildcards:
    (tmp_path / "animals").mkdir()
    (tmp_path / "colours.txt").write_text("dark red\nlight_red\nblue\n")
    (tmp_path / "animals" / "cats.txt").write_text("lion\n")
    return Wildcards(tmp_path)


@pytest.mark.parametrize(
    ("beginning", "found"),
    [
        ("__", ["__colours__", "__animals/cats__"]),
        ("__co", ["__colours__"]),
        ("__cat", ["__animals/cats__"]),
        ("__colours__", ["dark red", "light_red", "blue"]),
        ("__colours__red", ["dark red", "light_red"]),
        ("__none", []),
    ],
)
def test_wildcards_are_completed_and_their_lines_shown(beginning: str, found: list[str], files: Wildcards) -> None:
    assert [one.insert for one in best(wildcards(beginning, files), 20)] == found
