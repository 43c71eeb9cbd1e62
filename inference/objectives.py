"""How a model is asked at a noise level, and what its answer says of x0.

Every answer means x0 = a * x + b * output, with numbers a and b of the noise level alone.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import Tensor

from inference.schedules import SigmaTable
from modelhub.errors import BadValue

__all__ = ["PREDICTIONS", "Objective", "objective"]

_EDM_SPREAD = 0.5
"""Of the data, in Karras' preconditioning: Playground v2.5's latents are scaled to it."""
_FLOW_TIMES = 1000.0
"""What a flow calls the time at which nothing is left of x0."""


@dataclass(frozen=True, slots=True)
class Objective:
    """What a model has learned to predict, over the noise levels that it knows."""

    table: SigmaTable
    prediction: str
    """One of `PREDICTIONS`."""

    def scaled(self, x: Tensor, sigma: float) -> Tensor:
        """x = x0 + sigma * noise, as the model wants it: of deviation 1, or the mixture that a flow is."""
        return x / _SCALES.get(self.prediction, _unit)(sigma)

    def timestep(self, sigma: float) -> float:
        """What it calls that noise level."""
        return _TIMES[self.prediction](sigma) if self.prediction in _TIMES else self.table.timestep(sigma)

    def x0(self, x: Tensor, output: Tensor, sigma: float) -> Tensor:
        """What its answer about `scaled(x, sigma)` comes to."""
        kept, added = PREDICTIONS[self.prediction](sigma)
        return (x if kept == 1.0 else x * kept).add(output, alpha=added)


def objective(prediction: str, table: SigmaTable) -> Objective:
    """The objective of that name; raises `BadValue` naming the known ones."""
    if prediction not in PREDICTIONS:
        raise BadValue(f"{prediction!r} is no prediction type ({', '.join(PREDICTIONS)})")
    return Objective(table, prediction)


def _epsilon(sigma: float) -> tuple[float, float]:
    """The model predicts the noise: x0 = x - sigma * eps."""
    return 1.0, -sigma


def _v(sigma: float) -> tuple[float, float]:
    """The model predicts v = sqrt(abar) eps - sqrt(1 - abar) x0 (Salimans and Ho 2022)."""
    spread = math.hypot(sigma, 1.0)
    return 1 / spread**2, -sigma / spread


def _edm(sigma: float) -> tuple[float, float]:
    """c_skip and c_out of Karras et al. 2022, table 1."""
    spread = math.hypot(sigma, _EDM_SPREAD)
    return (_EDM_SPREAD / spread) ** 2, sigma * _EDM_SPREAD / spread


def _flow(sigma: float) -> tuple[float, float]:
    """The model predicts u = noise - x0 at x_t = (1 - t) x0 + t * noise, with t = sigma / (1 + sigma)."""
    return 1 / (1 + sigma), -sigma / (1 + sigma)


def _unit(sigma: float) -> float:
    return math.hypot(sigma, 1.0)


def _log_time(sigma: float) -> float:
    """c_noise of Karras et al. 2022."""
    return math.log(sigma) / 4


PREDICTIONS: Mapping[str, Callable[[float], tuple[float, float]]] = {
    "epsilon": _epsilon,
    "v": _v,
    "edm": _edm,
    "edm_v": _v,  # CosXL: v over EDM's noise levels
    "flow": _flow,
}
"""Prediction type -> sigma -> (a, b) in x0 = a * x + b * output."""

_SCALES: Mapping[str, Callable[[float], float]] = {
    "edm": lambda sigma: math.hypot(sigma, _EDM_SPREAD),
    "flow": lambda sigma: 1 + sigma,
}
_TIMES: Mapping[str, Callable[[float], float]] = {
    "edm": _log_time,
    "edm_v": _log_time,
    "flow": lambda sigma: _FLOW_TIMES * sigma / (1 + sigma),
}
"""Where a model does not call its noise levels by the table's timesteps."""
