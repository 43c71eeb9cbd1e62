"""A base with a written copy of what was trained on it, as `generate` would use the two together."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from torch import Tensor, nn

from inference.conditioning.embeddings import read_vectors
from inference.plan import ModelPlan, plan_adapter, plan_embedding
from inference.weights.parts import TEXT_ROLES
from modelhub.errors import BadValue
from trainers.recipe import Recipe

__all__ = ["STRENGTHS", "vectors_of", "wearing"]

STRENGTHS: Mapping[str, tuple[float, ...]] = {"lora": (0.4, 0.6, 0.8, 1.0), "textual_inversion": (1.0,)}
"""Method -> at which strengths its results are looked at; new words have but one."""


def wearing(base: ModelPlan, copy: Path, recipe: Recipe, strength: float) -> ModelPlan:
    """The base with the copy put on, that strongly."""
    if recipe.method == "lora":
        worn = plan_adapter(copy, base.parts, name=recipe.name, unet=strength, text_encoder=strength)
        return replace(base, adapters=(worn,))
    if recipe.method == "textual_inversion":
        return replace(base, embeddings=(plan_embedding(copy, base, name=recipe.trigger or recipe.name),))
    raise BadValue(
        f"what {recipe.method} makes is not judged by strengths yet", mend="modelhub train runs; compare its previews"
    )


def vectors_of(plan: ModelPlan, models: Mapping[str, nn.Module]) -> Mapping[str, Mapping[str, Tensor]]:
    """Role of a text encoder -> word -> vectors, of the embeddings that a plan wears."""
    roles = [role for role in TEXT_ROLES if role in models and plan.embeddings]
    return {role: read_vectors(plan.embeddings, role, next(models[role].parameters()).device) for role in roles}
