"""The course of the learning rates (pure)."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from trainers.recipe import OptimizerOptions

__all__ = ["learning_rate"]

_USUAL_TIMESCALE = 10_000
"""Steps after which inverse_sqrt, begun without a warm-up, has fallen to 1 / sqrt(2), as in transformers."""


@dataclass(frozen=True, slots=True)
class _At:
    """A step after the warm-up."""

    since: int
    """Steps since its end."""
    share: float
    """How much of the rest is behind it, 0 to 1."""
    warmup: int
    """Steps that it took."""


def learning_rate(step: int, steps: int, options: OptimizerOptions) -> float:
    """Share of the full learning rate at a step (0 for the first): up over the warm-up, then the schedule's course."""
    rising = round(steps * options.warmup if options.warmup < 1 else options.warmup)
    if step < rising:
        return (step + 1) / rising
    at = _At(step - rising, (step - rising) / max(1, steps - rising), rising)
    return options.floor + (1 - options.floor) * _COURSES[options.schedule](at, options)


def _constant(at: _At, options: OptimizerOptions) -> float:
    return 1.0


def _linear(at: _At, options: OptimizerOptions) -> float:
    return 1 - at.share


def _cosine(at: _At, options: OptimizerOptions) -> float:
    return (1 + math.cos(math.pi * at.share)) / 2


def _cosine_with_restarts(at: _At, options: OptimizerOptions) -> float:
    """Loshchilov and Hutter 2016, https://arxiv.org/abs/1608.03983: so many cosines, one after the other."""
    return (1 + math.cos(math.pi * (options.cycles * at.share % 1))) / 2


def _polynomial(at: _At, options: OptimizerOptions) -> float:
    return float((1 - at.share) ** options.power)


def _inverse_sqrt(at: _At, options: OptimizerOptions) -> float:
    timescale = at.warmup or _USUAL_TIMESCALE
    return math.sqrt(timescale / (timescale + at.since))


def _rex(at: _At, options: OptimizerOptions) -> float:
    """Chen et al. 2021, https://arxiv.org/abs/2107.04197: slow to fall at first, and fast at the end."""
    left = 1 - at.share
    return left / (0.5 + 0.5 * left)


def _rising(at: _At, options: OptimizerOptions) -> float:
    """Geometrically from the floor: what a range test tries."""
    lowest = max(options.floor, 1e-8)
    return float((lowest ** (1 - at.share) - options.floor) / (1 - options.floor)) if options.floor < 1 else 1.0


_COURSES: Mapping[str, Callable[[_At, OptimizerOptions], float]] = {
    "constant": _constant, "linear": _linear, "cosine": _cosine, "cosine_with_restarts": _cosine_with_restarts,
    "polynomial": _polynomial, "inverse_sqrt": _inverse_sqrt, "rex": _rex, "rising": _rising,
}  # fmt: skip
