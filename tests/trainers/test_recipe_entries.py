"""What a recipe may say is told by its own tables, so that nothing is left out."""

import pytest

from trainers.recipe import Recipe, parse_recipe
from trainers.recipe.entries import entries
from trainers.recipe.methods import METHODS

_LEAST = {"base": "1", "name": "kip", "dataset": {"images": "x"}}


@pytest.mark.parametrize("method", METHODS)
def test_every_entry_says_what_it_means(method: str) -> None:
    assert [one.name for one in entries(method) if not one.meaning] == []


@pytest.mark.parametrize("method", METHODS)
def test_every_entry_of_a_written_recipe_is_listed(method: str) -> None:
    listed = {one.name for one in entries(method)}
    payload = parse_recipe({**_LEAST, "method": method}, "the test").payload()
    assert {f"{table}.{entry}" for table in ("options", "loss", "save") for entry in payload[table]} <= listed


@pytest.mark.parametrize("method", METHODS)
def test_defaults_are_those_of_the_recipe(method: str) -> None:
    recipe = parse_recipe({**_LEAST, "method": method}, "the test")
    for one in entries(method):
        if one.default is not None and one.name != "method" and not one.name.startswith("options.pivotal"):
            assert _at(recipe, one.name) == one.default, one.name


def test_what_has_few_values_names_them_all() -> None:
    (kind,) = [one for one in entries("lora") if one.name == "loss.kind"]
    assert (kind.default, kind.choices) == ("l2", ("l2", "l1", "huber", "smooth_l1"))


def test_a_table_that_may_be_left_out_has_its_entries() -> None:
    assert "options.pivotal.vectors" in {one.name for one in entries("lora")}
    assert "options.pivotal.vectors" not in {one.name for one in entries("full")}


def _at(recipe: Recipe, name: str) -> object:
    found: object = recipe
    for part in name.split("."):
        found = getattr(found, part)
    return found
