"""Lists are newest first, and every filter narrows them."""

from pathlib import Path

import pytest

from modelhub.catalog import Catalog, Query, fulltext
from modelhub.catalog.rows import facts_json, now
from modelhub.catalog.tables import artifact
from modelhub.kinds import Facts, Kind
from tests import tables


@pytest.fixture
def held(catalog: Catalog, tmp_path: Path) -> Catalog:
    catalog.add(tables.write(tmp_path / "dreamshaper-8.safetensors", tables.ldm_vae(width=1)), tags=["painting"])
    catalog.add(tables.write(tmp_path / "kip_robot.safetensors", tables.tiny_lora()), tags=["painting", "robot"])
    catalog.add(tables.write(tmp_path / "水墨风格.safetensors", tables.tiny_lora(), fill=1))
    catalog.add(tables.write(tmp_path / "odd 100%.safetensors", {"a": (1,)}), name="strange")
    return catalog


CASES = {
    "everything": (Query(), [4, 3, 2, 1]),
    "a limit": (Query(limit=2), [4, 3]),
    "a kind": (Query(kinds=(Kind.LORA,)), [3, 2]),
    "two kinds": (Query(kinds=(Kind.LORA, Kind.VAE)), [3, 2, 1]),
    "a family": (Query(family="sd1"), [3, 2]),
    "a tag": (Query(tag="painting"), [2, 1]),
    "part of a tag is no tag": (Query(tag="paint"), []),
    "a word": (Query("dreamshaper"), [1]),
    "part of a word": (Query("eamsh"), [1]),
    "another case": (Query("DREAM"), [1]),
    "a tag as a word": (Query("painting"), [2, 1]),
    "two words": (Query("painting robot"), [2]),
    "a kind as a word": (Query("lora kip"), [2]),
    "two letters": (Query("ki"), [2]),
    "two letters at the very end": (Query("ng"), [4, 2, 1]),
    "one Chinese character": (Query("墨"), [3]),
    "four Chinese characters": (Query("水墨风格"), [3]),
    "an alias behind another name": (Query("odd"), [4]),
    "a quotation mark": (Query('"'), []),
    "an operator": (Query("dream OR kip"), []),
    "three quotation marks": (Query('"""'), []),
    "a percent sign": (Query("0%"), [4]),
    "all together": (Query("robot", (Kind.LORA,), "sd1", "painting", 5), [2]),
}


@pytest.mark.parametrize(("query", "ids"), CASES.values(), ids=CASES)
def test_a_query_finds_what_it_asks_for_newest_first(held: Catalog, query: Query, ids: list[int]) -> None:
    assert [artifact.id for artifact in held.list(query)] == ids


@pytest.mark.parametrize(("query", "ids"), CASES.values(), ids=CASES)
def test_very_common_short_words_find_the_same(
    held: Catalog, query: Query, ids: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fulltext, "_MANY", 0)
    assert [artifact.id for artifact in held.list(query)] == ids


def test_a_search_tells_where_its_words_stand(held: Catalog) -> None:
    held.set_note(2, "a painting of a robot")
    digest = held.sha256(held.artifact(2))
    found = {words: held.search(Query(words))[0].places for words in ("kip", "paint", "sd1 lora", digest[:9].upper())}
    assert found == {
        "kip": ("name", "aliases"),
        "paint": ("tags", "note"),
        "sd1 lora": ("family", "kind"),
        digest[:9].upper(): ("digest",),
    }
    assert [hit.artifact.id for hit in held.search(Query(digest))] == [2]


@pytest.mark.parametrize(("query", "ids"), CASES.values(), ids=CASES)
def test_the_count_looks_beyond_the_limit(held: Catalog, query: Query, ids: list[int]) -> None:
    assert held.count(query) == (4 if query == Query(limit=2) else len(ids))


def test_the_index_follows_renames_tags_and_removals(held: Catalog) -> None:
    held.rename(2, "automaton")
    held.tag(1, "landscape")
    assert [one.id for one in held.list(Query("automaton"))] == [2]
    assert [one.id for one in held.list(Query("landscape"))] == [1]
    held.remove(2)
    assert held.list(Query("automaton")) == ()
    assert held.list(Query("au")) == ()


def test_a_thousand_artifacts_are_listed_at_once(catalog: Catalog) -> None:
    """More than SQLite takes parameters by default in older versions."""
    facts = facts_json(Facts())
    rows = [{"name": f"m{number}", "kind": "lora", "facts": facts, "added_at": now()} for number in range(1100)]
    with catalog._database.writing() as connection:
        connection.execute(artifact.insert(), rows)
    assert len(catalog.list()) == 1100
