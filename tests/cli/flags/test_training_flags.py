"""Every flag of a training is an entry of the recipe of its method."""

from dataclasses import fields
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from pydantic import BaseModel

from cli.flags import training
from cli.flags.training import FullFlags, HypernetworkFlags, LoraFlags, PictureFlags, RecipeFlags, WordFlags
from cli.flags.training.recipe import nested
from cli.recipes import Flags, over
from modelhub.errors import BadValue
from trainers.recipe import Recipe
from trainers.recipe.methods import METHODS

OF_METHODS = {LoraFlags: "lora", WordFlags: "textual_inversion", FullFlags: "full", HypernetworkFlags: "hypernetwork"}
GROUPS = [getattr(training, name) for name in training.__all__]


def has(model: type[BaseModel], entry: str, options: type[BaseModel]) -> bool:
    """A table that may be left out counts as one."""
    name, _, rest = entry.partition(".")
    if name not in model.model_fields:
        return False
    told = model.model_fields[name].annotation
    below = options if name == "options" else next((one for one in get_args(told) if one is not type(None)), told)
    return has(below, rest, options) if rest else True  # type: ignore[arg-type]


@pytest.mark.parametrize("group", GROUPS, ids=lambda one: one.__name__)
def test_what_a_flag_gives_is_an_entry(group: type[Flags]) -> None:
    options = METHODS[OF_METHODS.get(group, "lora")]

    assert [entry for entry in group().entries() if not has(Recipe, entry, options)] == []


@pytest.mark.parametrize("group", GROUPS, ids=lambda one: one.__name__)
def test_a_flag_that_is_not_given_says_nothing(group: type[Flags]) -> None:
    assert nested(group().entries().items()) == {}


def test_no_two_groups_have_a_flag_of_one_name() -> None:
    shared = [group for group in GROUPS if group not in OF_METHODS]
    for method in OF_METHODS:
        names = [field.name for group in (*shared, method) for field in fields(group)]
        assert len(names) == len(set(names))


@pytest.mark.parametrize("group", GROUPS, ids=lambda one: one.__name__)
def test_every_flag_is_explained(group: Any) -> None:
    hints = get_type_hints(group, include_extras=True)
    assert [one.name for one in fields(group) if not hints[one.name].__metadata__[0].help] == []


def test_entries_are_set_by_name_and_typed_as_toml() -> None:
    flags = RecipeFlags(
        changes=["loss.kind=huber", "steps=12", "dataset.augment.flip=true", "optimizer.betas=[0.8,0.9]"]
    )

    assert nested(flags.changed().items()) == {
        "loss": {"kind": "huber"},
        "steps": 12,
        "dataset": {"augment": {"flip": True}},
        "optimizer": {"betas": [0.8, 0.9]},
    }


@pytest.mark.parametrize("text", ["steps", "=3", "loss.=3"])
def test_what_sets_nothing_is_refused(text: str) -> None:
    with pytest.raises(BadValue, match="sets nothing"):
        RecipeFlags(changes=[text]).changed()


def test_several_resolutions_are_a_list() -> None:
    assert PictureFlags(resolution="512,768").entries()["dataset.resolution"] == [512, 768]
    assert PictureFlags(resolution="512").entries()["dataset.resolution"] == 512
    with pytest.raises(BadValue, match="no number of pixels"):
        PictureFlags(resolution="large", images=Path()).entries()


def test_tables_lie_over_one_another() -> None:
    below = {"steps": 3, "loss": {"kind": "l1", "huber_c": 0.2}}

    assert over(below, {"loss": {"kind": "l2"}, "seed": 1}) == {
        "steps": 3,
        "seed": 1,
        "loss": {"kind": "l2", "huber_c": 0.2},
    }
