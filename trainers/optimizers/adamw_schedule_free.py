"""AdamW that needs no schedule (Defazio et al. 2024, https://arxiv.org/abs/2405.15682)."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch.optim import Optimizer

from trainers.optimizers._nouns import Group, OptimizerKind, betas
from trainers.recipe import OptimizerOptions

__all__ = ["KINDS", "AdamWScheduleFree"]

_EPSILON = 1e-8


class AdamWScheduleFree(Optimizer):
    """The paper's algorithm 1: gradients are taken at y, between z, which moves, and x, the mean of where it was.

    The parameters are y while it learns; `evaluate` makes them x, which is what is written and judged.
    """

    def __init__(self, groups: Sequence[Group], *, betas: tuple[float, ...], weight_decay: float) -> None:
        super().__init__(
            list(groups), {"lr": 1e-3, "betas": betas, "weight_decay": weight_decay, "taken": 0, "weights": 0.0}
        )

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            moving = [one for one in group["params"] if one.grad is not None]
            if moving and group["lr"] > 0:
                self._move(group, moving)

    @torch.no_grad()
    def evaluate(self) -> None:
        """Make the parameters x = (y - (1 - beta1) z) / beta1."""
        for group in self.param_groups:
            for one in group["params"]:
                if "z" in self.state[one]:
                    one.lerp_(self.state[one]["z"], 1 - 1 / group["betas"][0])

    def _move(self, group: Group, moving: list[Tensor]) -> None:
        first, second = group["betas"][:2]
        group["taken"] += 1
        rate = group["lr"] * (1 - second ** group["taken"]) ** 0.5
        group["weights"] += rate**2
        newest = rate**2 / group["weights"]
        gradients = [one.grad for one in moving if one.grad is not None]
        z, squares = self._of(moving, "z"), self._of(moving, "square")
        torch._foreach_lerp_(squares, torch._foreach_mul(gradients, gradients), 1 - second)
        spreads = torch._foreach_sqrt(squares)
        torch._foreach_add_(spreads, _EPSILON)
        updates = torch._foreach_div(gradients, spreads)
        torch._foreach_add_(updates, moving, alpha=group["weight_decay"])
        torch._foreach_lerp_(moving, z, 1 - 1 / first)  # x
        torch._foreach_add_(z, updates, alpha=-rate)
        torch._foreach_lerp_(moving, z, newest)  # the next x
        torch._foreach_lerp_(moving, z, 1 - first)

    def _of(self, ones: list[Tensor], name: str) -> list[Tensor]:
        return [self._state(one)[name] for one in ones]

    def _state(self, y: Tensor) -> dict[str, Tensor]:
        state: dict[str, Tensor] = self.state[y]
        if not state:
            state |= {"z": y.detach().clone(), "square": torch.zeros_like(y)}
        return state


def _make(groups: Sequence[Group], options: OptimizerOptions) -> Optimizer:
    return AdamWScheduleFree(groups, betas=betas(options, 0.9, 0.999), weight_decay=options.weight_decay)


KINDS: Mapping[str, OptimizerKind] = {"AdamWScheduleFree": OptimizerKind(_make, scheduled=False)}
