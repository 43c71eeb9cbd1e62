"""Flags and --set as tables of a recipe."""

from dataclasses import dataclass
from typing import Annotated

from cli.flags.entries import Entry, change, entries_of, nested, over


@dataclass(frozen=True)
class Group:
    folder: str | None = None
    sides: Annotated[str | None, "a flag", Entry("dataset.sides", len)] = None
    prompts: Annotated[list[str] | None, Entry("preview.prompts")] = None


def test_flags_give_the_entries_that_stand_beside_them() -> None:
    assert entries_of(Group("x", "512", ["a", "b"])) == {"dataset.sides": 3, "preview.prompts": ["a", "b"]}


def test_flags_that_are_not_given_are_silent() -> None:
    assert entries_of(Group(prompts=[])) == {"dataset.sides": None, "preview.prompts": None}


def test_entries_are_set_by_name_and_typed_as_toml() -> None:
    told = ["loss.kind=huber", "steps=12", "dataset.augment.flip=true", "optimizer.betas=[0.8,0.9]"]

    assert nested(map(change, told)) == {
        "loss": {"kind": "huber"},
        "steps": 12,
        "dataset": {"augment": {"flip": True}},
        "optimizer": {"betas": [0.8, 0.9]},
    }


def test_tables_lie_over_one_another() -> None:
    below = {"steps": 3, "loss": {"kind": "l1", "huber_c": 0.2}}

    assert over(below, {"loss": {"kind": "l2"}, "seed": 1}) == {
        "steps": 3,
        "seed": 1,
        "loss": {"kind": "l2", "huber_c": 0.2},
    }
