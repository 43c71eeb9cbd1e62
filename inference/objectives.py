"""How a model is asked at a noise level, and what its answer says of x0."""

import math
from dataclasses import dataclass

from torch import Tensor

from inference.schedules import SigmaTable
from modelhub.errors import BadValue

__all__ = ["PREDICTIONS", "Objective", "objective"]


@dataclass(frozen=True, slots=True)
class Objective:
    """What a model has learned to predict, over the noise levels that it knows."""

    table: SigmaTable
    prediction: str
    """One of `PREDICTIONS`."""

    def scaled(self, x: Tensor, sigma: float) -> Tensor:
        """x = x0 + sigma * noise, as the model wants it: of deviation 1."""
        return x / math.hypot(sigma, 1.0)

    def timestep(self, sigma: float) -> float:
        """What it calls that noise level."""
        return self.table.timestep(sigma)

    def x0(self, x: Tensor, output: Tensor, sigma: float) -> Tensor:
        """What its answer about `scaled(x, sigma)` comes to."""
        return PREDICTIONS[self.prediction](x, output, sigma)


def objective(prediction: str, table: SigmaTable) -> Objective:
    """The objective of that name; raises `BadValue` naming the known ones."""
    if prediction not in PREDICTIONS:
        raise BadValue(f"{prediction!r} is no prediction type ({', '.join(PREDICTIONS)})")
    return Objective(table, prediction)


def _from_epsilon(x: Tensor, output: Tensor, sigma: float) -> Tensor:
    """The model predicts the noise: x0 = x - sigma * eps."""
    return x - output * sigma


def _from_v(x: Tensor, output: Tensor, sigma: float) -> Tensor:
    """The model predicts v = sqrt(abar) eps - sqrt(1 - abar) x0 (Salimans and Ho 2022)."""
    spread = math.hypot(sigma, 1.0)
    return x / spread**2 - output * (sigma / spread)


PREDICTIONS = {"epsilon": _from_epsilon, "v": _from_v}
"""Prediction type -> (x, model output, sigma) -> x0."""
