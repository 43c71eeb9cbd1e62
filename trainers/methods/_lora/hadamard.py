"""LoHa: the element-wise product of two low-rank products (FedPara, https://arxiv.org/abs/2108.06098)."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from trainers.methods._lora.factors import WHOLE, Apply, along, beside

__all__ = ["Hadamard"]


class Hadamard(nn.Module):
    """``alpha / rank * (w1_a @ w1_b) * (w2_a @ w2_b)``; it begins as LyCORIS' does."""

    def __init__(self, shape: Sequence[int], rank: int, alpha: float, chance: torch.Generator) -> None:
        super().__init__()
        rows, columns = shape[0], math.prod(shape[1:])
        self.w1_a = nn.Parameter(torch.randn(rows, rank, generator=chance) * 0.1)
        self.w1_b = nn.Parameter(torch.randn(rank, columns, generator=chance))
        self.w2_a = nn.Parameter(torch.zeros(rows, rank))
        self.w2_b = nn.Parameter(torch.randn(rank, columns, generator=chance))
        self.alpha = alpha
        self.scale = alpha / rank
        self.ranks = rows
        self.kept = WHOLE

    def answer(self, x: Tensor, weight: Tensor, bias: Tensor | None, apply: Apply) -> Tensor:
        delta = along(self.kept.ranks, along(self.kept.inputs, self.delta(weight), 1), 0)
        return beside(x, weight, bias, apply, delta)

    def delta(self, weight: Tensor) -> Tensor:
        product: Tensor = _Product.apply(self.w1_a, self.w1_b, self.w2_a, self.w2_b)  # type: ignore[no-untyped-call]
        return product.view(weight.shape) * self.scale

    def entries(self) -> Mapping[str, Tensor]:
        return {f"hada_{name}": parameter for name, parameter in self.named_parameters()}

    def multiplied(self) -> Sequence[nn.Parameter]:
        return self.w1_a, self.w1_b, self.w2_a, self.w2_b


class _Product(torch.autograd.Function):
    """Keeps the factors alone for the way back: the products are as large as the weight, and quickly made again."""

    @staticmethod
    def forward(ctx: Any, a1: Tensor, b1: Tensor, a2: Tensor, b2: Tensor) -> Tensor:
        ctx.save_for_backward(a1, b1, a2, b2)
        return (a1 @ b1).mul_(a2 @ b2)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:  # type: ignore[override]
        a1, b1, a2, b2 = ctx.saved_tensors
        first = gradient * (a2 @ b2)
        second = gradient * (a1 @ b1)
        return first @ b1.T, a1.T @ first, second @ b2.T, a2.T @ second
