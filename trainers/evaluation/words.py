"""What of a model's new words its text encoders hear."""

from collections.abc import Mapping

from torch import Tensor, nn

from inference.conditioning.embeddings import read_vectors
from inference.plan import ModelPlan
from inference.weights.parts import TEXT_ROLES

__all__ = ["vectors_of"]


def vectors_of(plan: ModelPlan, models: Mapping[str, nn.Module]) -> Mapping[str, Mapping[str, Tensor]]:
    """Role of a text encoder -> word -> vectors, of a plan's embeddings."""
    roles = [role for role in TEXT_ROLES if role in models and plan.embeddings]
    return {role: read_vectors(plan.embeddings, role, next(models[role].parameters()).device) for role in roles}
