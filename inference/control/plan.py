"""What a request for control comes to when everything it names is looked up (no torch)."""

from dataclasses import dataclass

from inference.request import ControlUse
from inference.weights.parts import Part

__all__ = ["ControlPlan"]


@dataclass(frozen=True, slots=True)
class ControlPlan:
    """One ControlNet, found to fit."""

    use: ControlUse
    """Resolved: digests for model and picture."""
    part: Part
    number: int
    """Catalog ID."""
    pooled: bool
    """Whether its residuals are averaged over the picture (models made of shuffled pictures)."""
    difference: bool
    """Whether its weights are to be added to those of the base."""
