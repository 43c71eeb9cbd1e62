"""`search` finds models and pictures, and says where."""

from pathlib import Path

import pytest

from modelhub.catalog import Catalog
from modelhub.workspace import Workspace
from tests.cli.conftest import Run


@pytest.fixture
def two(run: Run, kip: Path, vae: Path) -> Run:
    run("add", kip, vae, "--tag", "mine")
    return run


def test_search_tells_where_the_words_stand(two: Run) -> None:
    assert [line.split() for line in two("search", "kip", "mine").out.splitlines()] == [
        ["ID", "NAME", "KIND", "FAMILY", "TRIGGER", "WORDS", "FOUND", "IN"],
        ["1", "kip", "lora", "sd1", "name,", "aliases,", "tags"],
    ]
    assert two("search", "kip", "--json").json[0]["places"] == ["name", "aliases"]


def test_search_narrows_by_kind_family_and_tag(two: Run) -> None:
    assert two("search", "mine", "-q").out == "2\n1\n"
    assert two("search", "mine", "--kind", "vae", "-q").out == "2\n"
    assert two("search", "mine", "--family", "sd1", "-q").out == "1\n"
    assert two("search", "mine", "--tag", "other").out == "nothing found\n"


def test_search_says_when_there_may_be_more(two: Run) -> None:
    assert "--limit shows more" in two("search", "mine", "--limit", "1").err


def test_search_finds_pictures_by_what_drew_them(two: Run, workspace: Workspace) -> None:
    path = workspace.outputs / "1.png"
    with Catalog.open(workspace) as catalog:
        run = catalog.begin_run("generate", {}, [("lora", 1)])
        catalog.pictures.record(run, path, sha256="", width=64, height=32, infotext="水墨 castle\nSteps: 20" + "x" * 99)
        catalog.finish_run(run)
    shown = two("search", "--images", "水墨", "steps").out
    assert str(path) in shown
    assert "64x32  水墨 castle Steps: 20x" in shown
    assert "x" * 60 not in shown
    assert two("search", "--images", "castle", "-q").out == f"{path}\n"
    assert two("search", "--images", "nothing").out == "nothing found\n"
