"""What the factors of any algorithm offer to the layer that they learn beside."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import torch
from torch import Tensor, nn

__all__ = ["WHOLE", "Apply", "Factors", "Kept", "along", "beside"]

Apply: TypeAlias = Callable[[Tensor, Tensor, Tensor | None], Tensor]
"""(input, weight, bias) -> what a layer of that kind gives: a product, or a convolution with its strides."""


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """What takes part in a step: 0 is left out, and the others are scaled so that the mean stays; None is all."""

    inputs: Tensor | None = None
    """[in]"""
    ranks: Tensor | None = None
    """[`Factors.ranks`]"""


WHOLE = Kept()


class Factors(Protocol):
    """What is learned beside one layer; an `nn.Module`."""

    alpha: float
    """As a file says it."""
    kept: Kept
    ranks: int
    """How many parts rank dropout chooses among."""

    def answer(self, x: Tensor, weight: Tensor, bias: Tensor | None, apply: Apply) -> Tensor:
        """What the layer gives with what was learned."""
        ...

    def delta(self, weight: Tensor) -> Tensor:
        """What inference adds to the weight, in its shape, float32, whatever is left out in a step."""
        ...

    def entries(self) -> Mapping[str, Tensor]:
        """Endings of names in files -> tensors."""
        ...

    def multiplied(self) -> Sequence[nn.Parameter]:
        """Parameters that the delta is a product of; empty for one that is no product."""
        ...


def beside(x: Tensor, weight: Tensor, bias: Tensor | None, apply: Apply, delta: Tensor) -> Tensor:
    """What a layer gives with `delta` added to its weight.

    In half precision a small delta would be lost in the sum, so it is applied by itself.
    """
    if weight.dtype == torch.float32:
        return apply(x, weight + delta, bias)
    return apply(x, weight, bias) + apply(x, delta.to(weight.dtype), None)


def along(values: Tensor | None, delta: Tensor, at: int) -> Tensor:
    """The delta with its rows (`at` 0) or its inputs (1) multiplied."""
    if values is None:
        return delta
    shape = [1] * delta.ndim
    shape[at] = len(values)
    return delta * values.view(shape)
