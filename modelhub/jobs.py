"""Long work as an iterator of events, so that a terminal, a browser and a test can all follow it.

To cancel, stop iterating: closing the iterator runs the job's `finally`, which leaves things whole.
Another thread sets a `Cancel`, which jobs look at between chunks and steps.
"""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeAlias, TypeVar

from modelhub.errors import Interrupted

__all__ = ["Cancel", "Done", "Event", "Job", "Notice", "Preview", "Progress", "Step", "drain"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one piece of the work is."""

    task: str
    """What is being done, e.g. ``denoise`` or a file's name; one bar each."""
    done: float
    total: float | None
    """In the same unit as `done`; None while it is unknown."""
    unit: str = "it"
    """``it`` for steps, ``B`` for bytes, ``files``."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the user should know that does not stop the work."""

    message: str


@dataclass(frozen=True, slots=True)
class Step:
    """One optimizer step of a training."""

    step: int
    """1 for the first."""
    total: int
    loss: float
    """Mean over the step's samples, weighted as the objective says."""
    smoothed: float
    """Exponential mean of the losses so far, corrected for its start."""
    learning_rate: float


@dataclass(frozen=True, slots=True)
class Preview:
    """A picture made on the way, already on disk."""

    step: int
    path: Path


@dataclass(frozen=True, slots=True)
class Done(Generic[T]):
    """The last event: what the job was for."""

    result: T


Event: TypeAlias = Progress | Notice | Step | Preview | Done[T]
Job: TypeAlias = Iterator[Progress | Notice | Step | Preview | Done[T]]


class Cancel:
    """A switch that another thread can set."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def set(self) -> None:
        self._event.set()

    def check(self) -> None:
        """Raise `Interrupted` once the switch is set."""
        if self._event.is_set():
            raise Interrupted("cancelled")


def drain(job: Job[T]) -> T:
    """Run a job to its end and return its result, ignoring what it says on the way."""
    for event in job:
        if isinstance(event, Done):
            return event.result
    raise RuntimeError("a job ended without a Done event")
