"""What a recipe says to no effect is told, and what has an effect is not."""

from pathlib import Path
from typing import Any

import pytest

from tests.trainers.pictures import write_set
from trainers.dataset import Sample, gather
from trainers.fitting.idle import _ROWS, _said, idle
from trainers.presets import presets
from trainers.recipe import Recipe, parse_recipe
from trainers.recipe.methods import METHODS


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> tuple[Sample, ...]:
    folder = write_set(tmp_path_factory.mktemp("idle") / "set")
    return gather(parse_recipe({"base": "x", "name": "kip", "dataset": {"images": folder}}, "here").dataset).samples


def recipe(**entries: Any) -> Recipe:
    return parse_recipe({"base": "x", "name": "kip", "dataset": {"images": Path("x")}, **entries}, "here")


@pytest.mark.parametrize(
    ("idly", "told", "met"),
    [
        ({"options": {"conv_alpha": 2}}, "options.conv_alpha = 2.0 has no effect without options.conv_rank",
         {"options": {"conv_alpha": 2, "conv_rank": 4}}),
        ({"options": {"factor": 4}}, "without options.algorithm = \"lokr\"",
         {"options": {"factor": 4, "algorithm": "lokr"}}),
        ({"options": {"constraint": 1}}, "without options.algorithm = \"oft\"",
         {"options": {"constraint": 1, "algorithm": "oft"}}),
        ({"loss": {"huber_c": 0.5}}, "loss.huber_c = 0.5 has no effect without loss.kind",
         {"loss": {"huber_c": 0.5, "kind": "huber"}}),
        ({"prior": {"weight": 0.5}}, "without pictures of the class", {"prior": {"draw": 2, "caption": "a dog"}}),
        ({"save": {"keep": 2}}, "without save.every or save.epochs", {"save": {"keep": 2, "every": 5}}),
        ({"optimizer": {"cycles": 3}}, "cosine_with_restarts",
         {"optimizer": {"cycles": 3, "schedule": "cosine_with_restarts"}}),
        ({"noise": {"bias": 1.0}}, "without noise.distribution", {"noise": {"bias": 1.0, "distribution": "sigmoid"}}),
        ({"method": "textual_inversion", "learning_rate": 1e-3}, "options.learning_rate is theirs",
         {"method": "textual_inversion", "options": {"learning_rate": 1e-3}}),
        ({"method": "hypernetwork", "text_encoder_learning_rate": 1e-4}, "changes the UNet alone",
         {"method": "full", "text_encoder_learning_rate": 1e-4}),
    ],
)  # fmt: skip
def test_an_entry_is_told_that_lacks_another(
    samples: tuple[Sample, ...], idly: dict[str, Any], told: str, met: dict[str, Any]
) -> None:
    (line,) = idle(recipe(**idly), samples)

    assert told in line
    assert idle(recipe(**met), samples) == []


@pytest.mark.parametrize("method", METHODS)
def test_what_is_usual_says_nothing_idle(method: str, samples: tuple[Sample, ...]) -> None:
    assert idle(recipe(method=method), samples) == []


@pytest.mark.parametrize("preset", [one.name for one in presets()])
def test_no_preset_says_anything_idle(preset: str, samples: tuple[Sample, ...]) -> None:
    (one,) = [one for one in presets() if one.name == preset]

    dataset = {**one.entries.get("dataset", {}), "images": Path("x")}
    assert idle(recipe(**{**one.entries, "dataset": dataset}), samples) == []


def test_every_entry_that_is_judged_is_one_of_some_method() -> None:
    asked = {entry for entries, _, _ in _ROWS for entry in entries.split()}
    tables = [recipe(method=method).model_dump() for method in METHODS]

    for entry in asked:
        table, _, last = entry.rpartition(".")
        assert any(last in _table(fields, table) for fields in tables), entry
    assert _said(recipe(), "options.conv_alpha") == []


def _table(fields: dict[str, Any], name: str) -> dict[str, Any]:
    for one in filter(None, name.split(".")):
        fields = fields[one]
    return fields
