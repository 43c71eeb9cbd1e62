"""Adafactor (Shazeer and Stern 2018, https://arxiv.org/abs/1804.04235): second moments kept as rows and columns.

The learning rate is the recipe's: neither relative to the step nor scaled by the parameters.
"""

from collections.abc import Mapping, Sequence

from torch.optim import Optimizer

from trainers.optimizers._nouns import Group, OptimizerKind
from trainers.recipe import OptimizerOptions

__all__ = ["KINDS"]


def _make(groups: Sequence[Group], options: OptimizerOptions) -> Optimizer:
    """Without betas it keeps no first moment, which is what saves the memory."""
    from transformers.optimization import Adafactor

    made: Optimizer = Adafactor(
        list(groups), beta1=options.betas[0] if options.betas else None, weight_decay=options.weight_decay,
        relative_step=False, scale_parameter=False, warmup_init=False,
    )  # fmt: skip
    return made


KINDS: Mapping[str, OptimizerKind] = {"Adafactor": OptimizerKind(_make)}
