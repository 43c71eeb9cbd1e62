"""A running mean of what learns (Polyak and Juditsky 1992), which is often better than where it stands."""

from collections.abc import Sequence

import torch
from torch import Tensor

from trainers.recipe import ComputeOptions

__all__ = ["Averages"]


class Averages:
    """The mean of each parameter, beside it."""

    def __init__(self, parameters: Sequence[Tensor], options: ComputeOptions) -> None:
        self._parameters = list(parameters)
        self._decay, self._every = options.ema, options.ema_every
        self.values = [one.detach().clone() for one in parameters]

    @torch.no_grad()
    def update(self, step: int) -> None:
        """After a step (1 for the first): the mean is quick at first, so that it does not hang on to the start."""
        if step % self._every == 0:
            updates = step // self._every
            decay = min(self._decay, (1 + updates) / (10 + updates))
            torch._foreach_lerp_(self.values, self._parameters, 1 - decay)
