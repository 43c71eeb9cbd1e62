"""Request + catalog -> plan: every reference looked up and every pairing checked before a weight is read (no torch)."""

from inference.plan.adapters import plan_adapter
from inference.plan.embeddings import plan_embedding
from inference.plan.models import default_model
from inference.plan.nouns import AdapterPlan, EmbeddingPlan, HypernetworkPlan, LoadPlan, ModelPlan, NamedModel
from inference.plan.resolve import resolve

__all__ = ["AdapterPlan", "EmbeddingPlan", "HypernetworkPlan", "LoadPlan", "ModelPlan", "NamedModel"]
__all__ += ["default_model", "plan_adapter", "plan_embedding", "resolve"]
