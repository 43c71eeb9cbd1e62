"""From gradients to the next parameters: rates, clipping, the optimizer."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn

from trainers.learning.learning_rates import learning_rate
from trainers.learning.precision import half_of
from trainers.methods import ParameterGroup
from trainers.optimizers import optimizer_kind
from trainers.recipe import Recipe

__all__ = ["Updates"]


class Updates:
    """What learns, in groups that each have their rate, and the optimizer that moves it."""

    def __init__(self, groups: Sequence[ParameterGroup], recipe: Recipe, device: torch.device) -> None:
        self.groups = list(groups)
        self.slowed = 1.0
        """What all rates are multiplied by, since a training went back."""
        self._recipe = recipe
        self._kind = optimizer_kind(recipe.optimizer.name)
        self._optimizer = self._kind.make(
            [{"params": list(one.parameters), "lr": self._rate(one.learning_rate)} for one in self.groups],
            recipe.optimizer,
        )
        self.scaler = torch.amp.GradScaler(device.type, enabled=half_of(recipe.compute, device) == torch.float16)
        """Keeps gradients of half precision from becoming 0."""

    @property
    def parameters(self) -> list[nn.Parameter]:
        """All of them, also those that have stopped learning."""
        return [parameter for group in self.groups for parameter in group.parameters]

    @property
    def learning(self) -> list[nn.Parameter]:
        return [parameter for parameter in self.parameters if parameter.requires_grad]

    @property
    def distance(self) -> Tensor | None:
        """What an optimizer that finds its own rate multiplies it by, []."""
        found: Tensor | None = getattr(self._optimizer, "distance", None)
        return found

    def begin(self, step: int) -> float:
        """Set every group's learning rate for a step (0 for the first); returns the first group's."""
        options, taken = self._recipe.optimizer, step / self._recipe.steps
        if not self._kind.scheduled:
            options = options.model_copy(update={"schedule": "constant"})
        share = learning_rate(step, self._recipe.steps, options) * self.slowed
        for group, ours in zip(self._optimizer.param_groups, self.groups, strict=True):
            learns = taken < ours.until
            group["lr"] = self._rate(ours.learning_rate) * share if learns else 0.0
            for parameter in ours.parameters if learns != ours.parameters[0].requires_grad else ():
                parameter.requires_grad_(learns)
                parameter.grad = None
        return float(self._optimizer.param_groups[0]["lr"])

    def apply(self) -> Tensor:
        """Move what has gradients; returns their norm before it was clipped, []."""
        self.scaler.unscale_(self._optimizer)
        norm = nn.utils.clip_grad_norm_(self.learning, self._recipe.optimizer.max_grad_norm or float("inf"))
        self.scaler.step(self._optimizer)
        self.scaler.update()
        # The scaler leaves out steps whose gradients are too large: then their norm is nothing to be alarmed at.
        return torch.zeros_like(norm) if self.scaler.is_enabled() else norm

    @contextmanager
    def at_their_means(self, averages: Sequence[Tensor] = ()) -> Iterator[None]:
        """While it lasts, the parameters are their averages, or what a schedule-free optimizer has instead."""
        evaluate = getattr(self._optimizer, "evaluate", None)
        if not (averages or evaluate):
            yield
            return
        before = [one.detach().clone() for one in self.parameters]
        try:
            if averages:
                _assign(self.parameters, averages)
            elif evaluate:
                evaluate()
            yield
        finally:
            _assign(self.parameters, before)

    def state(self) -> dict[str, Any]:
        return {"slowed": self.slowed, "optimizer": self._optimizer.state_dict(), "scaler": self.scaler.state_dict()}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on as when `state` was taken; other entries of it are not looked at."""
        self.slowed = float(state["slowed"])
        self._optimizer.load_state_dict(deepcopy(dict(state["optimizer"])))
        self.scaler.load_state_dict(state["scaler"])

    def _rate(self, rate: float) -> float:
        return rate if self._kind.own_rate is None else self._kind.own_rate


def _assign(parameters: Sequence[nn.Parameter], values: Sequence[Tensor]) -> None:
    with torch.no_grad():
        torch._foreach_copy_(list(parameters), list(values))
