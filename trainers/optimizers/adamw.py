"""AdamW (Loshchilov and Hutter 2017, https://arxiv.org/abs/1711.05101), all parameters in one kernel."""

from collections.abc import Mapping, Sequence

import torch
from torch.optim import Optimizer

from trainers.optimizers._nouns import Group, OptimizerKind, betas
from trainers.recipe import OptimizerOptions

__all__ = ["KINDS"]


def _make(groups: Sequence[Group], options: OptimizerOptions) -> Optimizer:
    return torch.optim.AdamW(
        list(groups), betas=betas(options, 0.9, 0.999), weight_decay=options.weight_decay, fused=True
    )


KINDS: Mapping[str, OptimizerKind] = {"AdamW": OptimizerKind(_make)}
