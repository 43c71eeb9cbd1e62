"""Trainings on the shipped checkpoint learn what they were shown, and leave the rest alone.

A short one runs every day; `make prove` runs a character, a style, a new word and a LoHa, and prints their figures.
"""

import os
from collections.abc import Callable, Mapping
from math import sqrt
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import pytest

from modelhub import starter
from modelhub.catalog import Catalog
from modelhub.jobs import drain
from trainers.evaluation.evaluate import Evaluation, Judging, evaluate
from trainers.evaluation.verdict import Cell
from trainers.recipe import CaptionOptions, DatasetOptions, PriorOptions, Recipe, SubsetOptions, ValidationOptions
from trainers.train import train

WHOLE = bool(os.environ.get("MODELHUB_TRAININGS"))
CHARACTER = starter.HELD_OUT.parent
ICONS = Path(__file__).parents[2] / "examples" / "twemoji" / "icons"
MOST_DRIFT = 1.0
"""Of pictures of other things: what another seed changes."""


def character(**entries: Any) -> Recipe:
    """Sixteen pictures to learn from, and four poses to judge by."""
    subsets = (SubsetOptions(images=CHARACTER / "train"), SubsetOptions(images=starter.HELD_OUT, held_out=True))
    return recipe(dataset=DatasetOptions(subsets=subsets), **entries)


def guarded_character(**entries: Any) -> Recipe:
    """The same beside pictures of other things, of which the base's own answers are kept."""
    subsets = (
        SubsetOptions(images=CHARACTER / "train", repeats=6),
        SubsetOptions(images=starter.HELD_OUT, held_out=True),
        SubsetOptions(images=ICONS, regularisation=True),
    )
    return recipe(dataset=DatasetOptions(subsets=subsets), prior=PriorOptions(frozen=True), **entries)


def recipe(**entries: Any) -> Recipe:
    usual = {"batch": 4, "validation": ValidationOptions(pairs=64), "save": {"keep": 1}}
    return Recipe.model_validate({"base": "starter", "name": "learned", **usual, **entries})


NAMED_ALONE = SubsetOptions(images=ICONS, regularisation=True, captions=CaptionOptions(source="name"))
"""Where the style is not asked for, the base's own answers are kept."""
LORA = {"rank": 16, "alpha": 16}
TRAININGS: Mapping[str, Callable[[], Recipe]] = {
    "a character": lambda: guarded_character(
        steps=400, learning_rate=2e-3, text_encoder_learning_rate=1e-3, options=LORA
    ),
    "a LoHa": lambda: character(
        steps=300, learning_rate=4e-3, text_encoder_learning_rate=2e-3,
        options={"algorithm": "loha", "rank": 8, "alpha": 8},
    ),
    "a new word": lambda: character(
        method="textual_inversion", steps=400, trigger="mimo",
        options={"vectors": 8, "initial": "robot cat", "learning_rate": 2e-2},
    ),
    "a style": lambda: recipe(
        dataset=DatasetOptions(subsets=(SubsetOptions(images=ICONS), NAMED_ALONE)), prior=PriorOptions(frozen=True),
        steps=800, learning_rate=1e-3, text_encoder_learning_rate=2e-4,
        options={**LORA, "conv_rank": 16, "conv_alpha": 16}, loss={"min_snr_gamma": 0},
    ),
}  # fmt: skip


def judged(wanted: Recipe, catalog: Catalog, judging: Judging) -> Evaluation:
    catalog.add(starter.CHECKPOINT, name="starter")
    drain(train(wanted, catalog=catalog, device="cpu"))
    run = catalog.last_run("train")
    assert run is not None
    return drain(evaluate(run.id, judging, catalog=catalog, device="cpu"))


def gain(found: Evaluation, cell: Cell) -> float:
    """Of the held-out loss over the base's, pair by pair, in standard errors."""
    differences = [base - one for base, one in zip(found.base_losses, cell.losses, strict=True)]
    return mean(differences) / (stdev(differences) / sqrt(len(differences)))


def is_alike(found: Evaluation, cell: Cell, *, of_many_things: bool) -> bool:
    """Above 90 % of what the base draws of the same captions.

    A style is of as many things as the base draws, and colours and edges tell things apart before manners of drawing:
    its pictures are above half of the base's, and come to 90 % of the likeness of real ones that were held out.
    """
    if not of_many_things:
        return cell.percentile >= 0.9
    assert found.real_likeness is not None
    return cell.percentile > 0.5 and cell.likeness >= 0.9 * found.real_likeness


def test_a_short_training_knows_pictures_better_that_it_never_saw(catalog: Catalog) -> None:
    wanted = character(
        steps=30, learning_rate=2e-3, text_encoder_learning_rate=1e-3, options=LORA,
        validation=ValidationOptions(pairs=16),
    )  # fmt: skip
    looks = Judging(strengths=(1.0,), prompts=("mimo waving",), seeds=1, steps=1, cfg=1.0, most_drift=10)

    found = judged(wanted, catalog, looks)

    assert len(found.base_losses) == 4 * 16
    assert gain(found, found.verdict.cell) > 3


@pytest.mark.skipif(not WHOLE, reason="minutes each: make prove")
@pytest.mark.parametrize("name", TRAININGS)
def test_a_training_learns_what_it_is_shown_and_leaves_the_rest(
    name: str, catalog: Catalog, record_property: Callable[[str, object], None]
) -> None:
    found = judged(TRAININGS[name](), catalog, Judging(seeds=2, cfg=4.0, most_drift=MOST_DRIFT))

    cell = found.verdict.cell
    record_property(
        f"trained {name}",
        f"at {cell.strength:g}: held-out loss {mean(found.base_losses):.4f} -> {cell.loss:.4f}, "
        f"{gain(found, cell):.1f} standard errors; likeness {found.base_likeness:.3f} -> {cell.likeness:.3f} (held-out "
        f"pictures {found.real_likeness:.3f}), above {cell.percentile:.0%} of the base's; drift {cell.drift:.2f}",
    )
    assert len(found.base_losses) >= 4 * 64
    assert gain(found, cell) > 3
    assert is_alike(found, cell, of_many_things=name == "a style")
    assert cell.drift <= MOST_DRIFT
