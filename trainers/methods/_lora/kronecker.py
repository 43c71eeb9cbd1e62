"""LoKr: a Kronecker product of a small matrix and a larger one (LyCORIS, https://arxiv.org/abs/2309.14859)."""

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from trainers.methods._lora.factors import WHOLE, Apply, along
from trainers.methods._lora.sizes import split

__all__ = ["Kronecker"]


class Kronecker(nn.Module):
    """``kron(w1, w2)``; w2 is a product of low rank, scaled by alpha / rank, unless it would be as large whole."""

    def __init__(
        self, shape: Sequence[int], rank: int, alpha: float, chance: torch.Generator, factor: int = -1
    ) -> None:  # fmt: skip
        super().__init__()
        rows, columns = split(shape[0], factor), split(shape[1], factor)
        self._kernel = tuple(shape[2:])
        self.w1 = nn.Parameter(_kaiming((rows[0], columns[0]), chance))
        self.is_whole = 2 * rank >= max(rows[1], columns[1])
        if self.is_whole:
            self.w2 = nn.Parameter(torch.zeros(rows[1], columns[1], *self._kernel))
        else:
            self.w2_a = nn.Parameter(_kaiming((rows[1], rank), chance))
            self.w2_b = nn.Parameter(torch.zeros(rank, columns[1] * math.prod(self._kernel)))
        self.alpha = float(rank) if self.is_whole else alpha
        self.scale = self.alpha / rank
        self.ranks = shape[0]
        self.kept = WHOLE

    def answer(self, x: Tensor, weight: Tensor, bias: Tensor | None, apply: Apply) -> Tensor:
        """Factor by factor: far less work than a product with a matrix of the weight's size."""
        rows = x if self._kernel else x.flatten(0, -2)
        given = apply(rows, weight, bias)
        added = along(self.kept.ranks, self._added(along(self.kept.inputs, rows, 1), given, apply), 1)
        given = given.add_(added.to(given.dtype), alpha=self.scale)
        return given if self._kernel else given.view(*x.shape[:-1], -1)

    def delta(self, weight: Tensor) -> Tensor:
        return torch.kron(self.w1, self._w2().flatten(1)).view(weight.shape) * self.scale

    def entries(self) -> Mapping[str, Tensor]:
        return {f"lokr_{name}": parameter for name, parameter in self.named_parameters()}

    def multiplied(self) -> Sequence[nn.Parameter]:
        return list(self.parameters())

    def _added(self, rows: Tensor, given: Tensor, apply: Apply) -> Tensor:
        """w2 sees each slice of the inputs, w1 mixes what it makes of them."""
        w1, w2 = self.w1.to(given.dtype), self._w2().to(given.dtype)
        slices = rows.to(given.dtype).reshape(-1, w2.shape[1], *rows.shape[2:])
        seen = apply(slices, w2, None)
        mixed = w1 @ seen.reshape(len(rows), w1.shape[1], -1)
        return mixed.view(given.shape)

    def _w2(self) -> Tensor:
        """[out, in, ...]"""
        if self.is_whole:
            return self.w2
        return (self.w2_a @ self.w2_b).view(len(self.w2_a), -1, *self._kernel)


def _kaiming(shape: tuple[int, int], chance: torch.Generator) -> Tensor:
    bound = 1 / math.sqrt(shape[1])
    return torch.empty(shape).uniform_(-bound, bound, generator=chance)
