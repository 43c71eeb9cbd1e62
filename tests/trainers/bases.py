"""Tiny bases, as a method is given them: a plan, and its models."""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import nn

from inference.plan import ModelPlan, NamedModel
from inference.weights.load import load_part
from inference.weights.single_file import Part, checkpoint_parts
from modelhub.families import family
from modelhub.headers import read_table

__all__ = ["CPU", "Models", "loaded", "planned"]

CPU = torch.device("cpu")
Models = dict[str, nn.Module]


def planned(base: Path | Mapping[str, Part], name: str = "sd1") -> ModelPlan:
    """Of a file, or of its parts, as a checkpoint of that family."""
    parts = checkpoint_parts(base, read_table(base), family(name)) if isinstance(base, Path) else base
    return ModelPlan(family(name), "epsilon", 64, parts, NamedModel("tiny", "a" * 64))


def loaded(base: ModelPlan | Mapping[str, Part], dtype: torch.dtype = torch.float32) -> Models:
    """Models of their own, to change at will."""
    parts = base.parts if isinstance(base, ModelPlan) else base
    return {role: load_part(part, device=CPU, dtype=dtype) for role, part in parts.items()}
