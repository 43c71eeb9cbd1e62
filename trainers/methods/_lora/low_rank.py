"""LoRA and LoCon (Hu et al. 2021, https://arxiv.org/abs/2106.09685)."""

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from trainers.methods._lora.factors import WHOLE, Apply, along

__all__ = ["LowRank"]


class LowRank(nn.Module):
    """``alpha / rank * up @ down``; a convolution's kernel is on the way down, as kohya has it."""

    def __init__(self, shape: Sequence[int], rank: int, alpha: float, chance: torch.Generator) -> None:
        super().__init__()
        bound = 1 / math.sqrt(math.prod(shape[1:]))  # Kaiming uniform with a = sqrt(5), as kohya begins
        self.down = nn.Parameter(torch.empty(rank, *shape[1:]).uniform_(-bound, bound, generator=chance))
        self.up = nn.Parameter(torch.zeros(shape[0], rank, *[1] * len(shape[2:])))
        self.alpha = alpha
        self.scale = alpha / rank
        self.ranks = rank
        self.kept = WHOLE

    def answer(self, x: Tensor, weight: Tensor, bias: Tensor | None, apply: Apply) -> Tensor:
        """The products run in the precision of what the layer gives; the sum is made in its place."""
        if self.up.ndim == 4:
            given = apply(x, weight, bias)
            low = apply(x, self._down().to(given.dtype), None)
            return given.add_(F.conv2d(low, self.up.to(given.dtype)), alpha=self.scale)
        rows = x.flatten(0, -2)
        given = apply(rows, weight, bias)
        low = apply(rows, self._down().to(given.dtype), None)
        given.addmm_(low, self.up.to(given.dtype).T, alpha=self.scale)
        return given.view(*x.shape[:-1], -1)

    def delta(self, weight: Tensor) -> Tensor:
        return (self.up.flatten(1) @ self.down.flatten(1)).view(weight.shape) * self.scale

    def entries(self) -> Mapping[str, Tensor]:
        return {"lora_down.weight": self.down, "lora_up.weight": self.up}

    def multiplied(self) -> Sequence[nn.Parameter]:
        return self.down, self.up

    def _down(self) -> Tensor:
        return along(self.kept.ranks, along(self.kept.inputs, self.down, 1), 0)
