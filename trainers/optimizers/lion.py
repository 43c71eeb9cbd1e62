"""Lion (Chen et al. 2023, https://arxiv.org/abs/2302.06675): steps of one size, in the sign of a moment.

It wants a learning rate 3 to 10 times below AdamW's, and as much more weight decay.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch.optim import Optimizer

from trainers.optimizers._nouns import Group, OptimizerKind, betas
from trainers.recipe import OptimizerOptions

__all__ = ["KINDS", "Lion"]


class Lion(Optimizer):
    """The paper's algorithm 2, all parameters of a group at once."""

    def __init__(self, groups: Sequence[Group], *, betas: tuple[float, ...], weight_decay: float) -> None:
        super().__init__(list(groups), {"lr": 1e-4, "betas": betas, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            moving = [one for one in group["params"] if one.grad is not None]
            if moving:
                self._move(group, moving)

    def _move(self, group: Group, moving: list[Tensor]) -> None:
        slow, fast = group["betas"][1], group["betas"][0]
        gradients = [one.grad for one in moving if one.grad is not None]
        moments = [self._moment(one) for one in moving]
        updates = torch._foreach_lerp(moments, gradients, 1 - fast)
        torch._foreach_sign_(updates)
        torch._foreach_mul_(moving, 1 - group["lr"] * group["weight_decay"])
        torch._foreach_add_(moving, updates, alpha=-group["lr"])
        torch._foreach_lerp_(moments, gradients, 1 - slow)

    def _moment(self, parameter: Tensor) -> Tensor:
        state = self.state[parameter]
        if not state:
            state["moment"] = torch.zeros_like(parameter)
        moment: Tensor = state["moment"]
        return moment


def _make(groups: Sequence[Group], options: OptimizerOptions) -> Optimizer:
    return Lion(groups, betas=betas(options, 0.9, 0.99), weight_decay=options.weight_decay)


KINDS: Mapping[str, OptimizerKind] = {"Lion": OptimizerKind(_make)}
