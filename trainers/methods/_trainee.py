"""What the training loop knows of a method (no torch)."""

import random
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from modelhub.kinds import Kind

if TYPE_CHECKING:
    from torch import Tensor, nn

__all__ = ["WORDS_ENDING", "Export", "ParameterGroup", "Trainee"]

WORDS_ENDING = "-words"
"""`Export.ending` of new words that are learned beside something else."""


@dataclass(frozen=True, slots=True)
class ParameterGroup:
    """Parameters that share a learning rate."""

    name: str
    parameters: Sequence["nn.Parameter"]
    learning_rate: float
    """At the top of the schedule."""
    until: float = 1.0
    """Share of the steps in which they learn."""


@dataclass(frozen=True, slots=True, eq=False)
class Export:
    """One file that a training comes to."""

    kind: Kind
    tensors: Mapping[str, "Tensor"]
    """Under the names that other tools read."""
    format: str
    """``kohya``, ``diffusers`` or ``a1111``."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    """What the header says of the method itself."""
    ending: str = ""
    """Put after the recipe's name, where a training makes several models."""
    suffix: str = ".safetensors"
    pickled: Mapping[Any, object] | None = None
    """What torch pickles in place of the tensors, where a tool reads nothing else."""


class Trainee(Protocol):
    """Parameters that learn, joined to a frozen base."""

    @property
    def module(self) -> "nn.Module":
        """Owns the parameters; its state dict is what a resumable state keeps, in float32."""
        ...

    @property
    def trains_text_encoder(self) -> bool:
        """Whether encodings change from step to step, so that they cannot be computed once."""
        ...

    @property
    def words(self) -> Mapping[str, Mapping[str, "Tensor"]]:
        """Role of a text encoder -> word -> vectors that stand for it, [vectors, width]; empty but for new words."""
        ...

    def groups(self) -> list[ParameterGroup]: ...

    def phrase(self, caption: str, chance: random.Random) -> str:
        """What the text encoders are told in place of a caption: the caption, but for new words."""
        ...

    def begin_step(self, step: int) -> None:
        """What a method decides anew for each step, such as what it leaves out; `step` counts those before it."""
        ...

    def after_step(self, step: int) -> None:
        """What a method sees to after each update, such as norms."""
        ...

    def exports(self, formats: Sequence[str]) -> list[Export]:
        """What is written; the first of each kind is catalogued."""
        ...

    def check(self, export: Export, path: Path) -> bool:
        """Read a written file back as `generate` does, and compare it with what was trained; raises `BrokenFile`.

        Returns whether the file, in its precision, has any effect: whether something was learned.
        """
        ...

    def at_rest(self) -> AbstractContextManager[None]:
        """While it lasts, the base answers as if nothing had been learned."""
        ...

    def detach(self) -> None:
        """Leave the base as it was."""
        ...
