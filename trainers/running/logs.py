"""Who is told of the losses: the run's own file always, TensorBoard and Weights & Biases on request."""

import importlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from modelhub.jobs import Step
from trainers.methods import ParameterGroup
from trainers.recipe import Recipe
from trainers.running.runs import RunFolder

__all__ = ["Log", "logged"]


class Log(Protocol):
    """Hears of every step, and of the losses of held-out pictures."""

    def note(self, step: Step) -> None: ...

    def note_validation(self, step: int, loss: float) -> None: ...


@dataclass(slots=True)
class _Lines:
    """The run's own files. A training that goes back to an earlier step takes its lines back too."""

    folder: RunFolder
    last: int = 0
    """Step of the last line that was written here."""

    def note(self, step: Step) -> None:
        if step.step <= self.last:
            self.folder.forget_after(step.step - 1)
        self.last = step.step
        self.folder.note_loss(step.step, step.loss, step.learning_rate)

    def note_validation(self, step: int, loss: float) -> None:
        self.folder.note_validation(step, loss)


@dataclass(frozen=True, slots=True)
class _TensorBoard:
    writer: Any
    groups: Sequence[ParameterGroup]

    def note(self, step: Step) -> None:
        for name, value in _scalars(step, self.groups).items():
            self.writer.add_scalar(name, value, step.step)

    def note_validation(self, step: int, loss: float) -> None:
        self.writer.add_scalar("loss/validation", loss, step)


@dataclass(frozen=True, slots=True)
class _Wandb:
    run: Any
    groups: Sequence[ParameterGroup]

    def note(self, step: Step) -> None:
        self.run.log(_scalars(step, self.groups), step=step.step)

    def note_validation(self, step: int, loss: float) -> None:
        self.run.log({"loss/validation": loss}, step=step)


@dataclass(frozen=True, slots=True)
class _All:
    logs: Sequence[Log]

    def note(self, step: Step) -> None:
        for log in self.logs:
            log.note(step)

    def note_validation(self, step: int, loss: float) -> None:
        for log in self.logs:
            log.note_validation(step, loss)


@contextmanager
def logged(recipe: Recipe, folder: RunFolder, groups: Sequence[ParameterGroup]) -> Iterator[Log]:
    """All that the recipe asks for, closed in the end; `groups` name the learning rates."""
    with ExitStack() as stack:
        logs: list[Log] = [_Lines(folder)]
        if recipe.log.tensorboard:
            from torch.utils.tensorboard import SummaryWriter

            writer = SummaryWriter(str(folder.tensorboard))  # type: ignore[no-untyped-call]
            stack.callback(writer.close)
            logs.append(_TensorBoard(writer, groups))
        if recipe.log.wandb:
            wandb = importlib.import_module("wandb")
            run = wandb.init(project=recipe.log.wandb, name=recipe.name, dir=str(folder.path), config=recipe.payload())
            stack.callback(run.finish)
            logs.append(_Wandb(run, groups))
        yield _All(logs)


def _scalars(step: Step, groups: Sequence[ParameterGroup]) -> Mapping[str, float]:
    """Under the names that kohya's scripts give them; all rates follow the first one's course."""
    share = step.learning_rate / (groups[0].learning_rate or 1.0)
    rates = {f"lr/{one.name}": one.learning_rate * share for one in groups}
    return {"loss/current": step.loss, "loss/average": step.smoothed, **rates}
