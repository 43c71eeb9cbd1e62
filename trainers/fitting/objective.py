"""Whether a base can learn what a recipe says of predictions, noise and losses (no torch)."""

from inference.plan import LoadPlan
from modelhub.catalog import Catalog
from modelhub.errors import Incompatible
from trainers.predictions import check_objective, check_timesteps, zero_terminal
from trainers.recipe import FullOptions, Recipe

__all__ = ["check_learnable"]


def check_learnable(recipe: Recipe, load: LoadPlan, catalog: Catalog) -> None:
    """Raise for what a base does not predict, noise levels that it does not know, and losses of another prediction."""
    base = load.base
    told = catalog.artifact(load.used[0][1]).facts.prediction_type
    prediction = recipe.prediction or base.prediction
    if told and prediction != told and not isinstance(recipe.options, FullOptions):
        raise Incompatible(
            f"{base.model.name} says that it predicts {told}, the recipe that it predicts {prediction}: "
            "what is learned so would be drawn otherwise",
            mend="leave `prediction` out; modelhub train full ... can teach another prediction",
        )
    check_objective(prediction, recipe.loss, zero_snr=zero_terminal(recipe, prediction, base.zero_snr))
    check_timesteps(recipe.noise, len(base.table.sigmas))
