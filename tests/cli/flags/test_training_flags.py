"""Every flag of a training is an entry of the recipe of its method."""

from dataclasses import fields
from typing import Any, get_args, get_type_hints

import pytest
from pydantic import BaseModel

from cli.flags import training
from cli.flags.entries import entries_of, nested
from cli.flags.training import FullFlags, HypernetworkFlags, LoraFlags, PictureFlags, RecipeFlags, WordFlags
from modelhub.errors import BadValue
from trainers.recipe import Recipe
from trainers.recipe.methods import METHODS

OF_METHODS = {LoraFlags: "lora", WordFlags: "textual_inversion", FullFlags: "full", HypernetworkFlags: "hypernetwork"}
GROUPS = [getattr(training, name) for name in training.__all__]
NO_ENTRIES = {"recipe", "preset", "repeat", "changes", "dry_run", "device"}
"""Fields that say what is done, and how a recipe comes about."""


def has(model: type[BaseModel], entry: str, options: type[BaseModel]) -> bool:
    """A table that may be left out counts as one."""
    name, _, rest = entry.partition(".")
    if name not in model.model_fields:
        return False
    told = model.model_fields[name].annotation
    below = options if name == "options" else next((one for one in get_args(told) if one is not type(None)), told)
    return has(below, rest, options) if rest else True  # type: ignore[arg-type]


@pytest.mark.parametrize("group", GROUPS, ids=lambda one: one.__name__)
def test_what_a_flag_gives_is_an_entry(group: type) -> None:
    options = METHODS[OF_METHODS.get(group, "lora")]

    assert [entry for entry in entries_of(group()) if not has(Recipe, entry, options)] == []


@pytest.mark.parametrize("group", GROUPS, ids=lambda one: one.__name__)
def test_every_flag_gives_an_entry_but_those_that_say_what_is_done(group: Any) -> None:
    given = entries_of(group(**{field.name: "1" for field in fields(group)}))

    assert len(given) == len({field.name for field in fields(group)} - NO_ENTRIES)
    assert None not in given.values()


@pytest.mark.parametrize("group", GROUPS, ids=lambda one: one.__name__)
def test_a_flag_that_is_not_given_says_nothing(group: type) -> None:
    assert nested(entries_of(group()).items()) == {}


def test_no_two_groups_have_a_flag_of_one_name() -> None:
    shared = [group for group in GROUPS if group not in OF_METHODS]
    for method in OF_METHODS:
        names = [field.name for group in (*shared, method) for field in fields(group)]
        assert len(names) == len(set(names))


@pytest.mark.parametrize("group", GROUPS, ids=lambda one: one.__name__)
def test_every_flag_is_explained(group: Any) -> None:
    hints = get_type_hints(group, include_extras=True)
    assert [one.name for one in fields(group) if not hints[one.name].__metadata__[0].help] == []


@pytest.mark.parametrize("text", ["steps", "=3", "loss.=3"])
def test_what_sets_nothing_is_refused(text: str) -> None:
    with pytest.raises(BadValue, match="sets nothing"):
        RecipeFlags(changes=[text]).changed()


def test_several_resolutions_are_a_list() -> None:
    assert entries_of(PictureFlags(resolution="512,768"))["dataset.resolution"] == [512, 768]
    assert entries_of(PictureFlags(resolution="512"))["dataset.resolution"] == 512
    with pytest.raises(BadValue, match="'large' is no number of pixels"):
        entries_of(PictureFlags(resolution="large"))


def test_widths_are_a_row_of_numbers() -> None:
    assert entries_of(HypernetworkFlags(structure="1,2,1"))["options.structure"] == [1.0, 2.0, 1.0]
    with pytest.raises(BadValue, match="'wide' is no row of widths"):
        entries_of(HypernetworkFlags(structure="wide"))
