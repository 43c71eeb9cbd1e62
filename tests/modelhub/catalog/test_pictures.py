"""Pictures are found by every word of their infotext, by path, by digest, and by the models that drew them."""

from pathlib import Path

import pytest

from modelhub.catalog import Catalog, fulltext
from modelhub.workspace import Workspace
from tests.tables import tiny_lora, write

TEXTS = (
    "a red apple, 水墨山水\nSteps: 20, Sampler: Euler a",
    "a green apple, 双马尾\nSteps: 20, Sampler: DPM++ 2M",
    'a "quoted" 100% castle, ends with 水墨',
    "A RED castle kz",
)


@pytest.fixture
def drawn(catalog: Catalog, workspace: Workspace, tmp_path: Path) -> Catalog:
    for fill, name in enumerate(("base", "kip", "made")):
        catalog.add(write(tmp_path / f"{name}.safetensors", tiny_lora(), fill=fill))
    for number, text in enumerate(TEXTS, start=1):
        run = catalog.begin_run("generate", {}, [("model", 1)] if number < 4 else [("model", 1), ("lora", 2)])
        path = workspace.outputs / f"{number}.png"
        catalog.pictures.record(run, path, sha256=f"{number:064}", width=64, height=32, infotext=text)
        catalog.finish_run(run)
    return catalog


CASES = {
    "a word": ("apple", [2, 1]),
    "part of a word": ("astl", [4, 3]),
    "another case": ("RED", [4, 1]),
    "two words": ("apple red", [1]),
    "three Chinese characters": ("双马尾", [2]),
    "two Chinese characters": ("水墨", [3, 1]),
    "one Chinese character": ("墨", [3, 1]),
    "two characters at the very end": ("kz", [4]),
    "one character at the very end": ("z", [4]),
    "two letters in another case": ("EU", [1]),
    "a sign within": ("0%", [3]),
    "quotation marks": ('"quoted"', [3]),
    "one quotation mark": ('"', [3]),
    "an operator is a word": ("apple OR castle", []),
    "a star is a star": ("app*", []),
    "a short word that stands nowhere": ("zq", []),
    "a short word beside a long one": ("水墨 castle", [3]),
}


@pytest.mark.parametrize(("words", "numbers"), CASES.values(), ids=CASES)
def test_words_find_the_newest_pictures_first(drawn: Catalog, words: str, numbers: list[int]) -> None:
    assert [image.id for image in drawn.pictures.search(words)] == numbers


@pytest.mark.parametrize(("words", "numbers"), CASES.values(), ids=CASES)
def test_very_common_short_words_find_the_same(
    drawn: Catalog, words: str, numbers: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fulltext, "_MANY", 0)
    assert [image.id for image in drawn.pictures.search(words)] == numbers


def test_a_search_stops_at_its_limit(drawn: Catalog) -> None:
    assert [image.id for image in drawn.pictures.search("a", limit=2)] == [4, 3]


def test_a_picture_is_found_by_path_and_by_bytes(drawn: Catalog, workspace: Workspace) -> None:
    at, with_bytes = drawn.pictures.at(workspace.outputs / "3.png"), drawn.pictures.with_sha256(f"{2:064}")
    assert at
    assert with_bytes
    assert (at.id, at.run_id, with_bytes.id) == (3, 3, 2)
    assert drawn.pictures.at(workspace.outputs / "9.png") is None
    assert drawn.pictures.with_sha256("ab") is None


def test_uses_count_pictures_and_name_what_was_trained(drawn: Catalog) -> None:
    trained = drawn.begin_run("train", {}, [("base", 1)])
    drawn.finish_run(trained, outputs=[3])
    uses = drawn.pictures.uses(1, newest=2)
    assert (uses.pictures, [image.id for image in uses.newest], uses.trained) == (4, [4, 3], (3,))
    assert (drawn.pictures.uses(2).pictures, drawn.pictures.uses(3).pictures, drawn.pictures.uses(3).trained) == (
        1,
        0,
        (),
    )
