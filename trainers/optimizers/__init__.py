"""How the parameters move: one file a way of it, found by its name."""

from trainers.optimizers._nouns import Group, OptimizerKind
from trainers.optimizers._registry import KINDS, optimizer_kind

__all__ = ["KINDS", "Group", "OptimizerKind", "optimizer_kind"]
