"""Stochastic gradient descent with Nesterov's momentum."""

from collections.abc import Mapping, Sequence

import torch
from torch.optim import Optimizer

from trainers.optimizers._nouns import Group, OptimizerKind
from trainers.recipe import OptimizerOptions

__all__ = ["KINDS"]


def _make(groups: Sequence[Group], options: OptimizerOptions) -> Optimizer:
    """The first of the betas is the momentum; at 0 there is none."""
    momentum = (options.betas or (0.9,))[0]
    return torch.optim.SGD(
        list(groups), momentum=momentum, nesterov=momentum > 0, weight_decay=options.weight_decay, foreach=True
    )


KINDS: Mapping[str, OptimizerKind] = {"SGD": OptimizerKind(_make)}
