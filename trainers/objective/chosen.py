"""The objective that a base and a recipe come to."""

from dataclasses import replace

import torch

from inference.plan import ModelPlan
from trainers.objective.objective import Objective
from trainers.predictions import zero_terminal
from trainers.recipe import Recipe

__all__ = ["objective_of"]


def objective_of(base: ModelPlan, recipe: Recipe, device: torch.device) -> Objective:
    """What `base` goes on to learn, over its own noise levels, or those without an end that the recipe asks for.

    Raises `BadValue` for what cannot be learned of that base.
    """
    prediction = recipe.prediction or base.prediction
    zero_snr = zero_terminal(recipe, prediction, base.zero_snr)
    table = replace(base, prediction=prediction, zero_snr=zero_snr).table
    return Objective(prediction, torch.tensor(table.sigmas, device=device), recipe.loss, zero_snr)
