"""The objective that a base and a recipe come to."""

import dataclasses
from pathlib import Path

import pytest
import torch

from inference.levels import SigmaTable
from inference.plan import ModelPlan, NamedModel
from modelhub.errors import BadValue
from modelhub.families import family
from trainers.objective import objective_of
from trainers.recipe import DatasetOptions, LossOptions, NoiseOptions, Recipe

RECIPE = Recipe(base="any", name="mira", dataset=DatasetOptions(images=Path("pictures")))
CPU = torch.device("cpu")
ZERO = NoiseOptions(zero_terminal_snr=True)


def base(prediction: str = "epsilon", **facts: object) -> ModelPlan:
    plan = ModelPlan(family("sd1"), prediction, 512, {}, NamedModel("base", "0" * 64))
    return dataclasses.replace(plan, **facts)  # type: ignore[arg-type]


def recipe(**changes: object) -> Recipe:
    return RECIPE.model_copy(update=changes)


def test_it_is_the_bases_own_over_the_bases_own_levels() -> None:
    found = objective_of(base(), RECIPE, CPU)

    assert (found.prediction, found.zero_snr) == ("epsilon", False)
    assert found.sigmas.tolist() == list(SigmaTable(family("sd1").noise).sigmas)


def test_the_recipe_says_what_a_file_does_not_tell() -> None:
    assert objective_of(base(), recipe(prediction="v"), CPU).prediction == "v"


def test_the_losses_options_are_the_recipes() -> None:
    loss = LossOptions(kind="huber")

    assert objective_of(base(), recipe(loss=loss), CPU).loss is loss


def test_a_base_that_ends_in_noise_is_trained_so() -> None:
    found = objective_of(base("v", zero_snr=True), RECIPE, CPU)

    assert found.zero_snr
    assert found.sigmas[-1] > 4000


def test_a_recipe_may_ask_for_it() -> None:
    assert objective_of(base("v"), recipe(noise=ZERO), CPU).zero_snr


def test_but_not_of_what_predicts_noise() -> None:
    with pytest.raises(BadValue, match="predicts v"):
        objective_of(base(), recipe(noise=ZERO), CPU)


def test_a_flow_has_its_thousand_times() -> None:
    found = objective_of(base("flow"), RECIPE, CPU)

    assert len(found.sigmas) == 1000
    assert found.weights(torch.tensor([20.0])).tolist() == [1.0]
