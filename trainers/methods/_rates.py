"""How fast each part of a base learns (no torch)."""

from collections.abc import Collection

from inference.weights.parts import TEXT_ENCODER, TEXT_ENCODER_2, UNET
from trainers.recipe import Recipe

__all__ = ["rates"]


def rates(recipe: Recipe, roles: Collection[str]) -> dict[str, float]:
    """Role -> its learning rate, of those that a base has; those that stay as they are are left out."""
    text, second = recipe.text_encoder_learning_rate, recipe.second_text_encoder_learning_rate
    found = {UNET: recipe.learning_rate, TEXT_ENCODER: text, TEXT_ENCODER_2: text if second is None else second}
    return {role: rate for role, rate in found.items() if rate and role in roles}
