"""What is due on the way: resumable states, copies of the model, previews drawn with them."""

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import mean

from inference.engine import Engine
from modelhub.jobs import Notice, Preview
from trainers.learning.held_out import HeldOut
from trainers.learning.loop import Trainer
from trainers.plan import TrainingPlan
from trainers.running.epochs import steps_between_copies
from trainers.running.exporting import Written, write
from trainers.running.logs import Log
from trainers.running.plot import write_plot
from trainers.running.previews import previews
from trainers.running.states import write_state
from trainers.running.training import Ready, Training

__all__ = ["Dues", "on_the_way", "save_state"]

_STATE_EVERY = 100
"""Steps between resumable states where the recipe says nothing, so that a killed process loses little."""


@dataclass(frozen=True, slots=True)
class Dues:
    """After which steps something is due; after the last one, the result itself is."""

    last: int
    states: int
    """Steps between resumable states."""
    copies: int
    """Between copies; 0 for none."""
    previews: int
    looks: int
    """At the pictures that are held out; 0 for every copy, and the end."""
    judged: bool
    """Whether there are any."""

    @classmethod
    def of(cls, plan: TrainingPlan) -> "Dues":
        recipe, copies = plan.recipe, steps_between_copies(plan)
        every = recipe.preview.every, recipe.validation.every
        return cls(recipe.steps, copies or _STATE_EVERY, copies, *every, judged=bool(plan.held_out))

    def any(self, step: int) -> bool:
        return step == self.last or self.state(step) or self.copy(step) or self.preview(step) or self.look(step)

    def state(self, step: int) -> bool:
        return step < self.last and step % self.states == 0

    def copy(self, step: int) -> bool:
        return step < self.last and self.copies > 0 and step % self.copies == 0

    def preview(self, step: int) -> bool:
        return step < self.last and self.previews > 0 and step % self.previews == 0

    def look(self, step: int) -> bool:
        is_time = step % self.looks == 0 if self.looks else self.copy(step)
        return self.judged and (step == self.last or is_time)


def on_the_way(training: Training, ready: Ready, dues: Dues, log: Log, step: int) -> Iterator[Preview | Notice]:
    """Do whatever is due after the step just taken."""
    if dues.state(step):
        save_state(training, ready.trainer)
    if dues.look(step):
        loss = _held_out_loss(training.plan, ready)
        log.note_validation(step, loss)
        yield Notice(f"held-out pictures after step {step}: loss {loss:.4f}")
    if dues.copy(step) or dues.preview(step):
        with ready.trainer.averaged():
            copy = _copy(training, ready, step)
        if not any(one.has_effect for one in copy):
            yield Notice(f"the copy of step {step} has no effect yet: nothing was learned so far")
        write_plot(training.folder)
        _forget_older(training)
        if dues.preview(step):
            yield from previews(training.plan, copy, step, training.folder, Engine(training.device))


def save_state(training: Training, trainer: Trainer) -> None:
    """Keep where the training stands, replacing what was kept before."""
    write_state(training.folder, trainer.state(), recipe=training.recipe, dataset=training.plan.dataset)


def _held_out_loss(plan: TrainingPlan, ready: Ready) -> float:
    """Mean over the pictures that are held out, each at its fixed pairs of noise and timestep."""
    held_out = HeldOut.of(plan, ready.material, ready.objective)
    with ready.trainer.averaged():
        return mean(held_out.losses(ready.models, ready.texts))


def _copy(training: Training, ready: Ready, step: int) -> list[Written]:
    stem = training.folder.copy(training.recipe.name, step).stem
    return write(training.plan, ready.trainee, step, stem, lambda _: training.folder.path)


def _forget_older(training: Training) -> None:
    """All copies but the last ones, as many as the recipe keeps."""
    copied = training.folder.copied(training.recipe.name)
    for step in list(copied)[: -training.recipe.save.keep or 0]:
        for path in copied[step]:
            path.unlink()
