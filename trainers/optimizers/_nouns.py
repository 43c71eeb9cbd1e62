"""What the training loop knows of an optimizer."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from torch.optim import Optimizer

from trainers.recipe import OptimizerOptions

__all__ = ["Group", "OptimizerKind", "betas"]

Group: TypeAlias = dict[str, Any]
"""``params`` and ``lr``, as torch has them."""


@dataclass(frozen=True, slots=True)
class OptimizerKind:
    """One way in which parameters move.

    All that it keeps between steps is tensors and numbers of its state dict; where it learns at one point and judges
    by another, it has a method `evaluate` that moves the parameters to the second.
    """

    make: Callable[[Sequence[Group], OptimizerOptions], Optimizer]
    own_rate: float | None = None
    """What all parts learn at, in place of the recipe's learning rates, where it finds the rate by itself."""
    scheduled: bool = True
    """Whether the recipe's schedule follows its warm-up."""


def betas(options: OptimizerOptions, first: float, second: float) -> tuple[float, float]:
    """The recipe's, and for those that it leaves out an optimizer's own."""
    given = options.betas or ()
    return (*given, *(first, second)[len(given) :])  # type: ignore[return-value]
