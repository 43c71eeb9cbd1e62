"""AdamW with its moments in 8 bits (Dettmers et al. 2021, https://arxiv.org/abs/2110.02861), by bitsandbytes."""

from collections.abc import Mapping, Sequence
from functools import partial
from importlib import import_module

from torch.optim import Optimizer

from modelhub.errors import BadValue
from trainers.optimizers._nouns import Group, OptimizerKind, betas
from trainers.recipe import OptimizerOptions

__all__ = ["KINDS"]


def _make(groups: Sequence[Group], options: OptimizerOptions, *, name: str) -> Optimizer:
    try:
        optimizers = import_module("bitsandbytes.optim")
    except ImportError as error:
        raise BadValue(
            f"{name} needs the package bitsandbytes, which is not installed",
            mend="pip install bitsandbytes, or optimizer.name = 'AdamW'",
        ) from error
    made: Optimizer = getattr(optimizers, name)(
        list(groups), betas=betas(options, 0.9, 0.999), weight_decay=options.weight_decay
    )
    return made


KINDS: Mapping[str, OptimizerKind] = {
    name: OptimizerKind(partial(_make, name=name)) for name in ("AdamW8bit", "PagedAdamW8bit")
}
