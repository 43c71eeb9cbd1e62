"""What the training loop knows of a method."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from torch import Tensor, nn

__all__ = ["ParameterGroup", "Trainee"]


@dataclass(frozen=True, slots=True)
class ParameterGroup:
    """Parameters that share a learning rate."""

    name: str
    parameters: Sequence[nn.Parameter]
    learning_rate: float
    """At the top of the schedule."""


class Trainee(Protocol):
    """Parameters that learn, joined to a frozen base."""

    @property
    def module(self) -> nn.Module:
        """Owns the parameters; its state dict is what a resumable state keeps, in float32."""
        ...

    @property
    def trains_text_encoder(self) -> bool:
        """Whether encodings change from step to step, so that they cannot be computed once."""
        ...

    def groups(self) -> list[ParameterGroup]: ...

    def tensors(self) -> dict[str, Tensor]:
        """What the finished file holds, under the names that other tools read."""
        ...

    def check(self, path: Path) -> None:
        """Read a written file back and compare it with what was trained; raises `BrokenFile`."""
        ...

    def detach(self) -> None:
        """Leave the base as it was."""
        ...
