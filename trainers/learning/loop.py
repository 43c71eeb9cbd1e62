"""The only training loop: batches in, steps out, whatever the method."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from itertools import count
from typing import Any

import torch
from torch import Tensor, nn

from inference.weights.parts import UNET
from modelhub.errors import ModelHubError
from modelhub.jobs import Notice, Step
from trainers.learning.averages import Averages
from trainers.learning.batch import Batches
from trainers.learning.checkpointing import checkpoint_activations
from trainers.learning.forward import Forward
from trainers.learning.gradients import Gradients
from trainers.learning.learning_rates import learning_rate
from trainers.learning.precision import half_of
from trainers.learning.processes import Processes
from trainers.learning.rollback import Rollback
from trainers.learning.tally import Tally
from trainers.material import buckets
from trainers.material.material import Material
from trainers.material.texts import Texts
from trainers.methods import Trainee
from trainers.objective import Objective, Timesteps
from trainers.optimizers import optimizer_kind
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
        self, models: Mapping[str, nn.Module], texts: Texts, trainee: Trainee, material: Material,
        objective: Objective, recipe: Recipe, device: torch.device, *, read_every: int | None = None,
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
        self._scaler = torch.amp.GradScaler(device.type, enabled=half_of(recipe.compute, device) == torch.float16)
        self._gradients = Gradients(self.forward, batches, self._processes, self._scaler, recipe.compute.micro_batch)
        self._groups = trainee.groups()
        self._kind = optimizer_kind(recipe.optimizer.name)
        self._optimizer = self._kind.make(
            [{"params": list(one.parameters), "lr": self._rate(one.learning_rate)} for one in self._groups],
            recipe.optimizer,
        )
        self._averages = Averages(self._parameters, recipe.compute) if recipe.compute.ema else None
        self._slowed = 1.0
        self._is_whole = True
        self._tally = Tally(recipe.steps)
        self._read_every = read_every or (1 if device.type == "cpu" else _READ_EVERY)
        self._rollback = Rollback(fits=sum(one.numel() for one in self._parameters) <= _KEPT_SIZE)
        if recipe.compute.checkpointing:
            checkpoint_activations(models, text_encoders=trainee.trains_text_encoder)

    @property
    def is_main(self) -> bool:
        """Whether this is the process that writes, of those that train together."""
        return self._processes.is_main

    @property
    def can_go_on(self) -> bool:
        """Whether the parameters are a state to go on from: not within an update, nor after a loss of NaN."""
        if self._is_whole:
            self._tally.read()
        return self._is_whole and self._tally.spoilt is None

    def steps(self, is_due: Callable[[int], bool] = lambda step: True) -> Iterator[Step | Notice]:
        """Train from where it stands to the end of the recipe.

        Steps are told in order, several at once where looking at a loss costs time, but never later than at a step
        that `is_due`: once such a step was told, it is the last that was taken.
        """
        yield from self._tally.take()
        self._keep()
        while self.step < self._recipe.steps:
            for epoch, batches in self._remaining():
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

    def state(self) -> dict[str, Any]:
        """All that goes on from here needs; tensors and numbers only, so that it is read without unpickling code."""
        self._tally.read()
        return {
            "step": self.step,
            "smoothed": self._tally.smoothed,
            "untold": [[one.step, one.loss, one.smoothed, one.learning_rate] for one in self._tally.told],
            "slowed": self._slowed,
            "at_once": self._gradients.at_once,
            "module": self._trainee.module.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "averages": self._averages.values if self._averages else [],
            "scaler": self._scaler.state_dict(),
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Stand where `state` was taken."""
        self.step = int(state["step"])
        self._slowed = float(state["slowed"])
        self._gradients.at_once = int(state["at_once"])
        told = (Step(int(step), self._recipe.steps, *values) for step, *values in state["untold"])
        self._tally.go_back(float(state["smoothed"]), told)
        self._trainee.module.load_state_dict(state["module"])
        self._optimizer.load_state_dict(deepcopy(dict(state["optimizer"])))
        self._scaler.load_state_dict(state["scaler"])
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
            with self._at_their_means():
                yield
        finally:
            module.train(was_training)

    @contextmanager
    def _at_their_means(self) -> Iterator[None]:
        evaluate = getattr(self._optimizer, "evaluate", None)
        if not (self._averages or evaluate):
            yield
            return
        before = [one.detach().clone() for one in self._parameters]
        try:
            if self._averages:
                _assign(self._parameters, self._averages.values)
            elif evaluate:
                evaluate()
            yield
        finally:
            _assign(self._parameters, before)

    @property
    def _parameters(self) -> list[nn.Parameter]:
        return [parameter for group in self._groups for parameter in group.parameters]

    def _remaining(self) -> Iterator[tuple[int, buckets.Step]]:
        """Items of each step from the current one on, in batches, epoch after epoch, with the epoch."""
        material, recipe = self._material, self._recipe
        step = 0
        for epoch in count():
            order = material.epoch(epoch)
            sizes = [material.items[index].placement.bucket for index in order]
            accumulate = recipe.compute.accumulate
            for batches in buckets.steps(sizes, recipe.batch, accumulate=accumulate, seed=recipe.seed, epoch=epoch):
                if step == recipe.steps:
                    return
                if step >= self.step:
                    yield epoch, [[order[position] for position in batch] for batch in batches]
                step += 1

    def _take(self, epoch: int, batches: buckets.Step) -> None:
        rate = self._set_learning_rates()
        self._trainee.begin_step(self.step)
        learning = [parameter for parameter in self._parameters if parameter.requires_grad]
        loss = self._gradients.compute(batches, epoch, self.step, learning)
        self._scaler.unscale_(self._optimizer)
        norm = nn.utils.clip_grad_norm_(learning, self._recipe.optimizer.max_grad_norm or float("inf"))
        self._is_whole = False
        self._scaler.step(self._optimizer)
        self._scaler.update()
        self.step += 1
        self._trainee.after_step(self.step)
        if self._averages:
            self._averages.update(self.step)
        self._is_whole = True
        if self._scaler.is_enabled():
            norm = torch.zeros_like(
                loss
            )  # of any size, since the scaler leaves out steps whose gradients are too large
        factor = getattr(self._optimizer, "distance", torch.ones_like(loss))
        self._tally.note(self.step, rate, loss, norm.to(loss.device), factor)

    def _set_learning_rates(self) -> float:
        """Of every group at the current step; returns the first one's."""
        options, taken = self._recipe.optimizer, self.step / self._recipe.steps
        if not self._kind.scheduled:
            options = options.model_copy(update={"schedule": "constant"})
        share = learning_rate(self.step, self._recipe.steps, options) * self._slowed
        for group, ours in zip(self._optimizer.param_groups, self._groups, strict=True):
            learns = taken < ours.until
            group["lr"] = self._rate(ours.learning_rate) * share if learns else 0.0
            for parameter in ours.parameters if learns != ours.parameters[0].requires_grad else ():
                parameter.requires_grad_(learns)
                parameter.grad = None
        return float(self._optimizer.param_groups[0]["lr"])

    def _rate(self, rate: float) -> float:
        return rate if self._kind.own_rate is None else self._kind.own_rate

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
        slowed = self._slowed / 2
        state, is_hopeful = self._rollback.before(step)
        if state:
            self.load_state(state)
        if not is_hopeful:
            self._tally.spoilt = (step, loss)
            raise ModelHubError(
                f"the loss became {loss} at step {step}",
                mend=f"train again with a lower learning rate than {self._recipe.learning_rate:g}",
            )
        self._slowed = slowed
        self._tally.told.clear()
        return Notice(
            f"the loss became {loss} at step {step}: back to step {self.step}, at {slowed:g} times the learning rate"
        )


def _assign(parameters: Sequence[nn.Parameter], values: Sequence[Tensor]) -> None:
    with torch.no_grad():
        torch._foreach_copy_(list(parameters), list(values))
