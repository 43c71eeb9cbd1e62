"""Prodigy (Mishchenko and Defazio 2023, https://arxiv.org/abs/2306.06101): Adam that finds its learning rate.

All parts learn at one rate, which it estimates from how far they came; the schedule shapes it.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch.optim import Optimizer

from trainers.optimizers._nouns import Group, OptimizerKind, betas
from trainers.recipe import OptimizerOptions

__all__ = ["KINDS", "Prodigy"]

_FIRST_DISTANCE = 1e-6
_EPSILON = 1e-8


class Prodigy(Optimizer):
    """The paper's algorithm 4 with decoupled weight decay; nothing in it waits for the device.

    `r` and `s` are kept over the first distance, since its square is near what float32 can hold.
    """

    def __init__(self, groups: Sequence[Group], *, betas: tuple[float, ...], weight_decay: float) -> None:
        super().__init__(list(groups), {"lr": 1.0, "betas": betas, "weight_decay": weight_decay})

    @property
    def distance(self) -> Tensor:
        """What the learning rates are multiplied by, as it is estimated by now, []."""
        return self._shared["distance"]

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        moving = [(group, [one for one in group["params"] if one.grad is not None]) for group in self.param_groups]
        moving = [(group, ones) for group, ones in moving if ones and group["lr"] > 0]
        if not moving:
            return
        distance = self.distance.clone()
        ways, sizes = zip(*(self._learned(group, ones, distance) for group, ones in moving), strict=True)
        self._estimate(torch.stack(ways).sum(), torch.stack(sizes).sum(), moving[0][0]["betas"][1])
        for group, ones in moving:
            self._move(group, ones, distance)

    def _learned(self, group: Group, ones: list[Tensor], d: Tensor) -> tuple[Tensor, Tensor]:
        """Take in a group's gradients; returns what they add to r, and its part of |s|_1."""
        gradients = [one.grad for one in ones if one.grad is not None]
        fast, slow = group["betas"][:2]
        scaled = torch._foreach_mul(gradients, d)
        torch._foreach_lerp_(self._of(ones, "moment"), scaled, 1 - fast)
        torch._foreach_lerp_(self._of(ones, "square"), torch._foreach_mul(scaled, scaled), 1 - slow)
        weight = (1 - slow**0.5) * group["lr"] * d * (d / _FIRST_DISTANCE)
        ways = torch._foreach_sub(self._of(ones, "start"), ones)
        along = [torch.dot(g.flatten(), way.flatten()) for g, way in zip(gradients, ways, strict=True)]
        s = self._of(ones, "s")
        torch._foreach_mul_(s, slow**0.5)
        torch._foreach_add_(s, torch._foreach_mul(gradients, weight))
        return weight * torch.stack(along).sum(), torch.stack(torch._foreach_norm(s, 1)).sum()

    def _estimate(self, travelled: Tensor, size: Tensor, slow: float) -> None:
        """Let the distance grow to r / |s|_1, where that is more."""
        r, distance = self._shared["r"], self.distance
        r.mul_(slow**0.5).add_(travelled)
        distance.copy_(torch.where(size > 0, torch.maximum(distance, r / size), distance))

    def _move(self, group: Group, ones: list[Tensor], d: Tensor) -> None:
        """By the distance that the moments were made with."""
        spreads = torch._foreach_sqrt(self._of(ones, "square"))
        torch._foreach_div_(spreads, d)
        torch._foreach_add_(spreads, _EPSILON)
        updates = torch._foreach_div(self._of(ones, "moment"), spreads)
        torch._foreach_mul_(ones, 1 - group["lr"] * d * group["weight_decay"])
        torch._foreach_add_(ones, updates, alpha=-group["lr"])

    @property
    def _shared(self) -> dict[str, Tensor]:
        """What belongs to all parameters; kept with the first, so that it is saved and moved like its state."""
        return self._state(self.param_groups[0]["params"][0])

    def _of(self, ones: list[Tensor], name: str) -> list[Tensor]:
        return [self._state(one)[name] for one in ones]

    def _state(self, one: Tensor) -> dict[str, Tensor]:
        state: dict[str, Tensor] = self.state[one]
        if not state:
            state |= {name: torch.zeros_like(one) for name in ("moment", "square", "s")}
            state["start"] = one.detach().clone()
            if one is self.param_groups[0]["params"][0]:
                state["distance"] = torch.full((), _FIRST_DISTANCE, device=one.device)
                state["r"] = torch.zeros((), device=one.device)
        return state


def _make(groups: Sequence[Group], options: OptimizerOptions) -> Optimizer:
    return Prodigy(groups, betas=betas(options, 0.9, 0.999), weight_decay=options.weight_decay)


KINDS: Mapping[str, OptimizerKind] = {"Prodigy": OptimizerKind(_make, own_rate=1.0)}
