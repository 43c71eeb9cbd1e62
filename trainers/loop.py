"""The only training loop: batches in, steps out, whatever the method."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from inference.weights.parts import UNET
from modelhub.errors import ModelHubError
from modelhub.jobs import Step
from trainers import buckets
from trainers.chance import dice, generator
from trainers.material import Material
from trainers.methods import Trainee
from trainers.objective import Objective
from trainers.recipe import Recipe
from trainers.texts import Texts

__all__ = ["Trainer", "learning_rate"]

_SMOOTHING = 0.95


@dataclass(frozen=True, slots=True, eq=False)
class _Batch:
    """Samples of one bucket, computed at once."""

    latents: Tensor
    """[B, C, h, w], scaled for the denoiser."""
    noise: Tensor
    timesteps: Tensor
    """[B]"""
    weights: Tensor
    """[B]: of each sample's loss in the step's."""
    captions: Sequence[str]


class Trainer:
    """The state of one training: parameters, optimizer, and how far it is.

    All that is random depends on the recipe's seed, the step's number and the place in the step alone, so a resumed
    training takes the very steps that an uninterrupted one would have taken, whatever is computed at once.
    """

    def __init__(
        self, models: Mapping[str, nn.Module], texts: Texts, trainee: Trainee, material: Material,
        objective: Objective, recipe: Recipe, device: torch.device,
    ) -> None:  # fmt: skip
        self.step = 0
        self.can_go_on = True
        """Whether the parameters are a state to go on from: not within an update, nor after a loss of NaN."""
        self._smoothed = 0.0
        self._unet = models[UNET]
        self._texts = texts
        self._recipe = recipe
        self._material = material
        self._objective = objective
        self._trainee = trainee
        self._groups = trainee.groups()
        self._accelerator = Accelerator(
            cpu=device.type == "cpu", mixed_precision="bf16" if device.type == "cuda" else "no"
        )
        optimizer = torch.optim.AdamW(
            [{"params": list(group.parameters), "lr": group.learning_rate} for group in self._groups],
            weight_decay=recipe.optimizer.weight_decay,
        )
        self._optimizer = self._accelerator.prepare(optimizer)

    def steps(self) -> Iterator[Step]:
        """Train from where it stands to the end of the recipe."""
        for batches in self._remaining():
            rate = self._set_learning_rates()
            loss = self._gradients(batches)
            self._update()
            yield self._report(loss, rate)

    def state(self) -> dict[str, object]:
        """All that goes on from here needs; tensors and numbers only, so that it is read without unpickling code."""
        return {
            "step": self.step,
            "smoothed": self._smoothed,
            "module": self._trainee.module.state_dict(),
            "optimizer": self._optimizer.state_dict(),
        }

    def load_state(self, state: Mapping[str, object]) -> None:
        """Stand where `state` was taken."""
        self.step = int(state["step"])  # type: ignore[call-overload]
        self._smoothed = float(state["smoothed"])  # type: ignore[arg-type]
        self._trainee.module.load_state_dict(state["module"])  # type: ignore[arg-type]
        self._optimizer.load_state_dict(state["optimizer"])

    def _remaining(self) -> Iterator[list[list[int]]]:
        """Items of each step from the current one on, in batches, epoch after epoch."""
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
                    yield [[order[position] for position in batch] for batch in batches]
                step += 1

    def _gradients(self, batches: Sequence[Sequence[int]]) -> float:
        """Compute the current step's gradients; returns the loss."""
        self._optimizer.zero_grad(set_to_none=True)
        place, value = 0, 0.0
        size = sum(map(len, batches))
        for items in batches:
            batch = self._batch(items, place)
            loss = self._loss(batch) / size
            value += loss.item()
            if not math.isfinite(value):
                self._refuse(value)
            self._accelerator.backward(loss)
            place += len(items)
        parameters = [parameter for group in self._groups for parameter in group.parameters]
        if self._recipe.optimizer.max_grad_norm:
            self._accelerator.clip_grad_norm_(parameters, self._recipe.optimizer.max_grad_norm)
        return value

    def _refuse(self, value: float) -> None:
        self.can_go_on = False
        raise ModelHubError(
            f"the loss became {value} at step {self.step + 1}",
            mend=f"train again with a lower learning rate than {self._recipe.learning_rate:g}",
        )

    def _update(self) -> None:
        self.can_go_on = False
        self._optimizer.step()
        self.step += 1
        self._trainee.after_step(self.step)
        self.can_go_on = True

    def _loss(self, batch: _Batch) -> Tensor:
        """The sum of the samples' weighted losses."""
        dtype = next(self._unet.parameters()).dtype
        said = self._texts.encode(batch.captions)
        noised = self._objective.noised(batch.latents, batch.noise, batch.timesteps).to(dtype)
        output = self._unet(noised, batch.timesteps, said.tokens.to(dtype), return_dict=False)[0]
        losses = self._objective.losses(output, batch.latents, batch.noise, batch.timesteps)
        return (losses * batch.weights).sum()

    def _batch(self, items: Sequence[int], place: int) -> _Batch:
        """What the items of a batch come to at the current step; the first stands at `place` in the step."""
        rows = [self._row(item, place + index) for index, item in enumerate(items)]
        device = self._accelerator.device
        latents, noise, timesteps = (torch.stack(column).to(device) for column in zip(*rows, strict=True))
        weights = torch.tensor([self._material.items[item].weight for item in items], device=device)
        captions = [self._caption(item, place + index) for index, item in enumerate(items)]
        return _Batch(latents, noise, timesteps, weights, captions)

    def _row(self, item: int, place: int) -> tuple[Tensor, Tensor, Tensor]:
        """Latents, noise and timestep of one sample."""
        recipe, material = self._recipe, self._material
        chance = generator(recipe.seed, self.step, place)
        view = material.view(item, seed=recipe.seed, step=self.step, place=place)
        latents = (material.latents[view].sample(chance) - material.latent.shift) * material.latent.scale
        timestep = torch.randint(0, len(self._objective.sigmas), (), generator=chance)
        noise = torch.randn(latents.shape, generator=chance)
        if recipe.noise.offset:
            noise = noise + recipe.noise.offset * torch.randn(len(latents), 1, 1, generator=chance)
        return latents, noise, timestep

    def _caption(self, item: int, place: int) -> str:
        sample = self._material.samples[self._material.items[item].sample]
        dropped = dice(self._recipe.seed, self.step, place, "caption").random() < sample.subset.captions.dropout
        return "" if dropped else sample.caption

    def _set_learning_rates(self) -> float:
        recipe = self._recipe
        share = learning_rate(
            self.step, recipe.steps, schedule=recipe.optimizer.schedule, warmup=recipe.optimizer.warmup
        )
        for group, ours in zip(self._optimizer.param_groups, self._groups, strict=True):
            group["lr"] = ours.learning_rate * share
        return self._groups[0].learning_rate * share

    def _report(self, loss: float, rate: float) -> Step:
        self._smoothed = _SMOOTHING * self._smoothed + (1 - _SMOOTHING) * loss
        corrected = self._smoothed / (1 - _SMOOTHING**self.step)
        return Step(self.step, self._recipe.steps, loss, corrected, rate)


def learning_rate(step: int, steps: int, *, schedule: str, warmup: float) -> float:
    """Share of the full learning rate at a step (0 for the first): up over the warm-up, then the schedule's course."""
    rising = round(steps * warmup)
    if step < rising:
        return (step + 1) / rising
    course = (step - rising) / max(1, steps - rising)
    return {"constant": 1.0, "linear": 1 - course, "cosine": (1 + math.cos(math.pi * course)) / 2}[schedule]
