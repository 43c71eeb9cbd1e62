"""`modelhub dataset caption`, as a person types it."""

from pathlib import Path

import pytest

from modelhub.catalog import Catalog
from tests.cli.conftest import Run
from tests.trainers.captioners import write_captioner, write_tagger
from tests.trainers.pictures import write_picture


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_picture(tmp_path / "set" / "red_fox_1.png", caption=None)
    write_picture(tmp_path / "set" / "red_fox_2.png", caption="a fox")
    return tmp_path / "set"


def text(folder: Path, name: str = "red_fox_1") -> str:
    return (folder / f"{name}.txt").read_text(encoding="utf-8").strip()


def test_words_from_names_put_right_by_rules(run: Run, folder: Path) -> None:
    ran = run("dataset", "caption", folder, "--from", "name", "--rename-tag", "red fox=fox", "--trigger", "kip")

    assert text(folder) == "kip, fox"
    assert text(folder, "red_fox_2") == "a fox"
    assert "1 captions written" in ran.out
    assert "1 captions kept: --append adds to them, --overwrite changes them" in ran.out


def test_a_dry_run_shows_what_would_be_written(run: Run, folder: Path) -> None:
    ran = run("dataset", "caption", folder, "--trigger", "kip", "--overwrite", "--dry-run")

    assert ran.out.splitlines()[2].split() == ["red_fox_2.txt", "a", "fox", "kip,", "a", "fox"]
    assert "2 captions would be written" in ran.out
    assert text(folder, "red_fox_2") == "a fox"


def test_json_tells_of_every_picture_and_quiet_of_what_was_written(run: Run, folder: Path) -> None:
    told = run("dataset", "caption", folder, "--prefix", "a photo of ", "--append", "--json").json
    assert [(one["before"], one["after"], one["outcome"]) for one in told] == [
        (None, None, "nothing"), ("a fox", "a photo of a fox", "written"),
    ]  # fmt: skip
    quiet = run("dataset", "caption", folder, "--trigger", "kip", "--append", "--quiet").out.splitlines()
    assert quiet == [str(folder / "red_fox_1.txt"), str(folder / "red_fox_2.txt")]


def test_a_tagger_by_its_folder(run: Run, folder: Path, tmp_path: Path) -> None:
    tagger = write_tagger(tmp_path / "tagger")

    ran = run("dataset", "caption", folder, "--tagger", tagger, "--spaces", "--expand", "--device", "cpu")
    assert ran.code == 0
    assert text(folder) == "red, green hair, o_o, fox, zoo"


def test_a_captioner_by_its_name_in_the_catalog(run: Run, catalog: Catalog, folder: Path, tmp_path: Path) -> None:
    blip = write_captioner(tmp_path / "seer")
    assert run("add", blip).code == 0

    ran = run("dataset", "caption", folder, "--captioner", "seer", "--max-tokens", "6", "--device", "cpu")
    assert ran.code == 0
    assert text(folder)


def test_pictures_that_do_not_open_are_told_and_the_others_get_theirs(run: Run, folder: Path, tmp_path: Path) -> None:
    (folder / "red_fox_0.png").write_bytes(b"no picture")
    tagger = write_tagger(tmp_path / "tagger")

    ran = run("dataset", "caption", folder, "--tagger", tagger, "--device", "cpu")
    assert ran.code == 5
    assert "red_fox_0.png cannot be opened" in ran.err
    assert text(folder)
    (folder / "red_fox_1.png").unlink()
    (folder / "red_fox_2.png").unlink()
    assert run("dataset", "caption", folder, "--tagger", tagger, "--device", "cpu").code == 7


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "nothing to write"),
        (("--from", "name", "--tagger", "x"), "each find the words"),
        (("--trigger", "kip", "--append", "--overwrite"), "--append keeps"),
        (("--replace", "fox"), "no OLD=NEW"),
        (("--from", "name", "--extension", "txt"), "begins with a dot"),
    ],
)
def test_what_contradicts_itself_is_told_in_one_line(
    arguments: tuple[str, ...], told: str, run: Run, folder: Path
) -> None:
    ran = run("dataset", "caption", folder, *arguments)

    assert ran.code == 2
    assert told in ran.err


def test_a_tagger_that_is_nowhere_is_told(run: Run, catalog: Catalog, folder: Path) -> None:
    ran = run("dataset", "caption", folder, "--tagger", "nope")

    assert ran.code == 3
    assert "holds no model 'nope'" in ran.err


def test_no_model_is_loaded_where_every_picture_has_its_caption(run: Run, folder: Path, tmp_path: Path) -> None:
    (folder / "red_fox_1.txt").write_text("a red fox", encoding="utf-8")
    (tmp_path / "no-net").mkdir()

    ran = run("dataset", "caption", folder, "--captioner", tmp_path / "no-net")
    assert ran.code == 0
    assert "2 captions kept: --append adds to them, --overwrite changes them" in ran.out
    assert run("dataset", "caption", folder, "--captioner", tmp_path / "no-net", "--overwrite").code != 0
