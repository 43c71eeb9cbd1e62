"""`tag`, `note` and `set`: what an owner says of a model."""

from pathlib import Path

import pytest

from tests.cli.conftest import Run


@pytest.fixture
def two(run: Run, kip: Path, vae: Path) -> Run:
    run("add", kip, vae)
    return run


def test_tag_adds_and_takes_away_for_several_models(two: Run) -> None:
    two("tag", "kip", "2", "+style", "+draft")
    assert two("tag", "1", "-draft", "+vivid", "-q").out == "1\n"
    assert [one["tags"] for one in two("tag", "1", "2", "--json").json] == [["style", "vivid"], ["draft", "style"]]


def test_tag_alone_lists(two: Run) -> None:
    two("tag", "kip", "+a")
    assert [line.split() for line in two("tag", "kip").out.splitlines()] == [["ID", "NAME", "TAGS"], ["1", "kip", "a"]]


@pytest.mark.parametrize("tag", ["draft", "quiet", "vivid", "hands", "v2", "水墨"])
def test_tags_that_look_like_flags_are_tags(two: Run, tag: str) -> None:
    two("tag", "kip", f"+{tag}")
    assert two("tag", f"-{tag}", "kip", "--json").json[0]["tags"] == []


def test_tag_takes_options_in_any_place(two: Run, tmp_path: Path) -> None:
    assert two("tag", "--home", tmp_path / "home", "kip", "-q", "-x").out == "1\n"
    assert "+TAG" in two("tag", "-h").out


@pytest.mark.parametrize("words", [["+style"], ["kip", "+"], ["kip", "-"]])
def test_tag_refuses_what_means_nothing(two: Run, words: list[str]) -> None:
    assert two("tag", *words).code == 2


def test_tag_changes_nothing_when_one_model_is_unknown(two: Run) -> None:
    assert two("tag", "kip", "nobody", "+style").code == 3
    assert two("tag", "kip", "--json").json[0]["tags"] == []


def test_note_is_written_shown_and_cleared(two: Run) -> None:
    assert two("note", "kip").out == "1 (kip) has no note\n"
    assert two("note", "kip", "likes blue light").out == "likes blue light\n"
    assert two("note", "1", "--json").json == {"id": 1, "name": "kip", "note": "likes blue light"}
    assert two("search", "blue", "-q").out == "1\n"
    assert two("note", "kip", "").out == "1 (kip) has no note\n"


def test_set_is_believed_and_tells_the_contradiction(two: Run) -> None:
    said = two("set", "kip", "family=sdxl", "prediction-type=v").out
    assert "sdxl" in said
    assert "user: you said so" in said
    assert "contradiction: you say family sdxl, by its tensors it is sd1" in said
    assert two("ls", "--family", "sdxl", "-q").out == "1\n"


def test_set_takes_a_word_back(two: Run) -> None:
    two("set", "kip", "family=sdxl")
    facts = two("set", "kip", "family=", "--json").json["facts"]
    assert (facts["family"], facts["conflicts"]) == ("sd1", [])


def test_set_notes_how_strongly_a_model_is_best_used(two: Run) -> None:
    assert two("set", "kip", "weight=0.8", "--json").json["weight"] == 0.8
    assert "0.8" in two("show", "kip").out
    assert two("set", "kip", "weight=", "--json").json["weight"] is None
    ran = two("set", "kip", "weight=heavy")
    assert (ran.code, "'heavy' is no weight" in ran.err) == (2, True)


def test_set_renames_too(two: Run) -> None:
    assert two("set", "kip", "name=robot", "variant=chibi", "--json").json["name"] == "robot"


@pytest.mark.parametrize("pair", ["family=sd15", "kind=lorra", "rank=4", "family"])
def test_set_refuses_what_cannot_be(two: Run, pair: str) -> None:
    ran = two("set", "kip", "variant=x", pair)
    assert ran.code == 2
    assert two("show", "kip", "--json").json["facts"]["variant"] is None
