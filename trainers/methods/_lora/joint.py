"""A layer of the base and what is learned beside it."""

from typing import cast

from torch import Tensor, nn
from torch.nn import functional as F

from trainers.methods._lora.factors import Apply, Factors

__all__ = ["Joint"]


class Joint:
    """Answers in the layer's place while it is joined: no hook, which would slow down every call."""

    def __init__(self, layer: nn.Linear | nn.Conv2d, factors: Factors) -> None:
        self.layer = layer
        self.factors = factors
        self._apply = F.linear if isinstance(layer, nn.Linear) else cast(Apply, layer._conv_forward)

    def join(self) -> None:
        self.layer.forward = self._answer  # type: ignore[method-assign, assignment]

    def leave(self) -> None:
        """The layer answers as it did before; nothing happens to one that is not joined."""
        vars(self.layer).pop("forward", None)

    def _answer(self, x: Tensor) -> Tensor:
        layer = self.layer
        return self.factors.answer(x, layer.weight, layer.bias, self._apply)
