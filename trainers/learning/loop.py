"""The only training loop: batches in, steps out, whatever the method."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from inference.weights.parts import UNET
from modelhub.errors import ModelHubError
from modelhub.jobs import Notice, Step
from trainers.framing import buckets
from trainers.learning.averages import Averages
from trainers.learning.batch import Batches, Piece
from trainers.learning.checkpointing import checkpoint_activations
from trainers.learning.forward import Forward
from trainers.learning.gradients import Gradients
from trainers.learning.order import remaining
from trainers.learning.precision import half_of
from trainers.learning.processes import Processes
from trainers.learning.rollback import Rollback
from trainers.learning.tally import Tally
from trainers.learning.updates import Updates
from trainers.material.material import Material
from trainers.material.texts import Texts
from trainers.methods import Trainee
from trainers.objective import Objective, Timesteps
from trainers.recipe import Recipe

__all__ = ["Trainer"]

_READ_EVERY = 16
"""Steps between looks at the losses, where a look waits for the device."""
_KEPT_SIZE = 1 << 28
"""More parameters than so many are not kept a second time in memory."""


class Trainer:
    """The state of one training: parameters, optimizer, and how far it is.

    All that is random depends on the recipe's seed, the step's number and the place in the step alone, so a resumed
    training takes the very steps that an uninterrupted one would have taken, whatever is computed at once.
    """

    def __init__(
        self, *, models: Mapping[str, nn.Module], texts: Texts, trainee: Trainee, material: Material,
        objective: Objective, recipe: Recipe, device: torch.device, read_every: int | None = None,
    ) -> None:  # fmt: skip
        """`read_every` steps it looks at the losses: by default each, where it costs nothing."""
        self.step = 0
        self._recipe, self._material, self._trainee = recipe, material, trainee
        self._processes = Processes(device)
        self.forward = Forward(
            models[UNET], texts, objective, at_rest=trainee.at_rest, half=half_of(recipe.compute, device),
            compiled=recipe.compute.compile,
        )  # fmt: skip
        timesteps = Timesteps(recipe.noise, len(objective.sigmas), objective.prediction == "flow")
        batches = Batches(material, recipe, timesteps, trainee.phrase, self._processes.device)
        self._updates = Updates(trainee.groups(), recipe, device)
        self._gradients = Gradients(
            self.forward, batches, self._processes, self._updates.scaler, recipe.compute.micro_batch
        )
        self._averages = Averages(self._updates.parameters, recipe.compute) if recipe.compute.ema else None
        self._is_whole = True
        self._tally = Tally(recipe.steps)
        self._read_every = read_every or (1 if device.type == "cpu" else _READ_EVERY)
        self._rollback = Rollback(fits=sum(one.numel() for one in self._updates.parameters) <= _KEPT_SIZE)
        if recipe.compute.checkpointing:
            checkpoint_activations(models, text_encoders=trainee.trains_text_encoder)

    @property
    def can_go_on(self) -> bool:
        """Whether the parameters are a state to go on from: not within an update, nor after a loss of NaN."""
        if self._is_whole:
            self._tally.read()
        return self._is_whole and self._tally.spoilt is None

    @property
    def has_told(self) -> bool:
        """Whether every step that was taken has been told."""
        return not self._tally.told

    def steps(self, is_due: Callable[[int], bool] = lambda step: True) -> Iterator[Step | Notice]:
        """Train from where it stands to the end of the recipe.

        Steps are told in order, several at once where looking at a loss costs time, but never later than at a step
        that `is_due`: once such a step was told, it is the last that was taken.
        """
        yield from self._tally.take()
        self._keep()
        while self.step < self._recipe.steps:
            for epoch, batches in remaining(self._material, self._recipe, self.step):
                self._take(epoch, batches)
                if not self._is_time_to_look(is_due):
                    continue
                self._tally.read()
                if self._tally.spoilt:
                    break
                self._keep()
                yield from self._told()
            if self._tally.spoilt:
                notice = self._go_back(*self._tally.spoilt)
                yield from self._told()
                yield notice

    def ahead(self) -> Iterator[list[Piece]]:
        """What is computed here at once of each step that is left."""
        for number, (epoch, batches) in enumerate(remaining(self._material, self._recipe, self.step), self.step):
            yield self._gradients.pieces(batches, epoch, number)

    def rehearse(self, piece: Piece) -> None:
        """Compute a piece that is ahead, there and back, and throw its gradients away: nothing is learned from it.

        Where memory runs out, steps are cut smaller from here on, as they would be later.
        """
        self._gradients.rehearse(replace(piece, step=self.step), self._updates.learning)

    def state(self) -> dict[str, Any]:
        """All that goes on from here needs; tensors and numbers only, so that it is read without unpickling code."""
        self._tally.read()
        return {
            "step": self.step,
            "smoothed": self._tally.smoothed,
            "untold": [[one.step, one.loss, one.smoothed, one.learning_rate] for one in self._tally.told],
            "at_once": self._gradients.at_once,
            "module": self._trainee.module.state_dict(),
            "averages": self._averages.values if self._averages else [],
            **self._updates.state(),
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Stand where `state` was taken."""
        self.step = int(state["step"])
        self._gradients.at_once = int(state["at_once"])
        told = (Step(int(step), self._recipe.steps, *values) for step, *values in state["untold"])
        self._tally.go_back(float(state["smoothed"]), told)
        self._trainee.module.load_state_dict(state["module"])
        self._updates.load_state(state)
        if self._averages:
            for ours, theirs in zip(self._averages.values, state["averages"], strict=True):
                ours.copy_(theirs)

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """While it lasts, the parameters are what is written and judged; afterwards, to the bit what they were."""
        module = self._trainee.module
        was_training = module.training
        module.eval()
        try:
            with self._updates.at_their_means(self._averages.values if self._averages else ()):
                yield
        finally:
            module.train(was_training)

    def _take(self, epoch: int, batches: buckets.Step) -> None:
        rate = self._updates.begin(self.step)
        self._trainee.begin_step(self.step)
        loss = self._gradients.compute(batches, epoch, self.step, self._updates.learning)
        self._is_whole = False
        norm = self._updates.apply()
        self.step += 1
        self._trainee.after_step(self.step)
        if self._averages:
            self._averages.update(self.step)
        self._is_whole = True
        self._tally.note(self.step, rate, loss, norm, self._updates.distance)

    def _is_time_to_look(self, is_due: Callable[[int], bool]) -> bool:
        is_last = self.step == self._recipe.steps
        return is_last or self.step % self._read_every == 0 or is_due(self.step)

    def _told(self) -> Iterator[Step | Notice]:
        notices, self._gradients.notices = self._gradients.notices, []
        yield from notices
        yield from self._tally.take()

    def _keep(self) -> None:
        self._rollback.keep(self.step, self.state)

    def _go_back(self, step: int, loss: float) -> Notice:
        """To the newest state of which the next loss was a number, at half the learning rates."""
        slowed = self._updates.slowed / 2
        state, is_hopeful = self._rollback.before(step)
        if state:
            self.load_state(state)
        if not is_hopeful:
            self._tally.spoilt = (step, loss)
            raise ModelHubError(
                f"the loss became {loss} at step {step}",
                mend=f"train again with a lower learning rate than {self._recipe.learning_rate:g}",
            )
        self._updates.slowed = slowed
        self._tally.told.clear()
        return Notice(
            f"the loss became {loss} at step {step}: back to step {self.step}, at {slowed:g} times the learning rate"
        )
