"""Copies, looks and previews come when they are due, and only the last copies stay."""

import json
from pathlib import Path

import pytest

from modelhub.catalog import Catalog
from modelhub.jobs import Notice, drain
from tests.trainers.pictures import write_set
from trainers.recipe import Recipe, parse_recipe
from trainers.running.copies import Dues
from trainers.running.runs import RunFolder
from trainers.train import train

TEN = 10
"""Pictures, of which one is held out."""


def recipe(images: Path, **entries: object) -> Recipe:
    fields = {"base": "tiny", "name": "kip", "steps": 6, "dataset": {"images": images}, "options": {"rank": 1}}
    return parse_recipe({**fields, **entries}, "here")


def due(dues: Dues, what: str) -> list[int]:
    return [step for step in range(1, dues.last + 1) if getattr(dues, what)(step)]


@pytest.mark.parametrize(
    ("dues", "copies", "looks"),
    [
        (Dues(9, 3, 3, 0, 0, judged=True), [3, 6], [3, 6, 9]),
        (Dues(9, 3, 3, 0, 4, judged=True), [3, 6], [4, 8, 9]),
        (Dues(9, 100, 0, 0, 0, judged=True), [], [9]),
        (Dues(9, 100, 0, 0, 4, judged=False), [], []),
    ],
)
def test_held_out_pictures_are_looked_at_with_each_copy_or_as_often_as_is_asked(
    dues: Dues, copies: list[int], looks: list[int]
) -> None:
    assert (due(dues, "copy"), due(dues, "look")) == (copies, looks)
    assert set(due(dues, "any")) == {*copies, *looks, *due(dues, "state"), dues.last}


def test_the_last_copies_stay_and_each_look_is_kept(catalog: Catalog, checkpoint: Path, tmp_path: Path) -> None:
    catalog.add(checkpoint, name="tiny")
    images = write_set(tmp_path / "pictures", *[(64, 64)] * TEN)
    wanted = recipe(images, save={"every": 1, "keep": 2}, validation={"every": 3, "pairs": 2})

    events = list(train(wanted, catalog=catalog, device="cpu"))

    folder = catalog.workspace.runs / "0001-kip"
    assert list(RunFolder(folder).copied("kip")) == [4, 5]
    looks = [json.loads(line) for line in (folder / "validation.jsonl").read_text().splitlines()]
    assert [look["step"] for look in looks] == [3, 6]
    said = [event.message for event in events if isinstance(event, Notice)]
    assert f"held-out pictures after step 6: loss {looks[-1]['loss']:.4f}" in said


def test_copies_by_epochs_come_after_as_many_steps_as_show_all_pictures(
    catalog: Catalog, checkpoint: Path, tmp_path: Path
) -> None:
    catalog.add(checkpoint, name="tiny")
    images = write_set(tmp_path / "pictures", *[(64, 64)] * 4)

    drain(train(recipe(images, batch=2, save={"epochs": 1}), catalog=catalog, device="cpu"))

    assert list(RunFolder(catalog.workspace.runs / "0001-kip").copies("kip")) == [2, 4]
