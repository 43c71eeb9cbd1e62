"""What a training will take, from its plan alone: steps, time, memory, disk (no torch).

Operations and what is kept for the way back were counted on the published UNets (torch's FlopCounterMode and hooks on
saved tensors, on the meta device): both grow with a network's parameters or channels and with the latents' area, and
operations a little faster than that, by attention.
"""

from collections.abc import Callable
from dataclasses import dataclass

from inference.memory import giga
from inference.weights.parts import UNET
from trainers.plan import TrainingPlan
from trainers.recipe import FullOptions, Recipe
from trainers.running.epochs import epochs_after, steps_between_copies
from trainers.running.sizes import parameters, trainable, written

__all__ = ["Estimate", "describe", "disk", "estimate", "passes"]


@dataclass(frozen=True, slots=True)
class _Counted:
    """One published UNet, at the resolution it was made for."""

    parameters: float
    area: int
    """Pixels."""
    linear: float
    """Operations of a forward pass, one picture, that grow with the area."""
    square: float
    """And those that grow with its square."""
    saved: float
    """Numbers that the way back needs: times latent pixels and channels of the first level."""


_COUNTED = {
    "sd1": _Counted(859.5e6, 512**2, 0.682e12, 0.121e12, 419),
    "sd2": _Counted(865.9e6, 512**2, 0.682e12, 0.121e12, 419),
    "sdxl": _Counted(2567.5e6, 1024**2, 5.81e12, 0.95e12, 786),
}
_BACK = 1.15
"""Operations of the way back over those of a forward pass, while the base is frozen."""
_BACK_FULL = 2.0
"""When all its weights learn."""
_CHECKPOINTED = 0.38
"""Share of the saved numbers that is left with checkpointing; published for SD 1.5 at 512 px on a 24 GB card."""
_OPTIMIZER = 16
"""Bytes of a number that learns: itself, its gradient and two means, in float32."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What is known before the first step."""

    steps: int
    epochs: int
    pictures: int
    """That are learned from."""
    shown: int
    """Pictures that all steps together see."""
    trainable: int
    """Numbers that learn."""
    operations: float
    """Floating-point operations of the whole training."""
    memory: int
    """Bytes."""
    disk: int
    """Bytes: results, copies, state and caches."""

    def seconds(self, speed: float) -> float:
        """At so many operations a second."""
        return self.operations / speed


def estimate(plan: TrainingPlan, itemsize: Callable[[str], int]) -> Estimate:
    """`itemsize` is a role's bytes a number, as an engine that trains has it."""
    recipe = plan.recipe
    learned = trainable(plan)
    batch = recipe.batch * recipe.compute.accumulate
    return Estimate(
        steps=recipe.steps,
        epochs=epochs_after(plan, recipe.steps),
        pictures=len({item.sample for item in plan.items}),
        shown=recipe.steps * batch,
        trainable=learned,
        operations=recipe.steps * batch * _operations(plan),
        memory=_memory(plan, itemsize, learned),
        disk=disk(plan),
    )


def describe(needed: Estimate) -> str:
    """In a line, for people."""
    return (
        f"{needed.steps:,} steps of {needed.shown // max(1, needed.steps)} pictures: {needed.pictures:,} pictures, "
        f"{needed.epochs:,} epochs; {needed.trainable / 1e6:.3g} M numbers learn; "
        f"about {giga(needed.memory)} of memory, {giga(needed.disk)} of disk"
    )


def passes(recipe: Recipe) -> float:
    """Forward passes that a picture's way there and back comes to."""
    back = _BACK_FULL if isinstance(recipe.options, FullOptions) else _BACK
    return 1 + back + (1 if recipe.compute.checkpointing else 0)


def _operations(plan: TrainingPlan) -> float:
    """Of one picture, there and back."""
    counted = _counted(plan)
    area = plan.resolution**2 / counted.area
    forward = (counted.linear * area + counted.square * area**2) * parameters(plan.base.parts[UNET])
    return forward / counted.parameters * passes(plan.recipe)


def _memory(plan: TrainingPlan, itemsize: Callable[[str], int], learned: int) -> int:
    """Weights, what learns, and what a micro-batch keeps for its way back."""
    compute = plan.recipe.compute
    weights = sum(parameters(part) * itemsize(role) for role, part in plan.base.parts.items())
    at_once = min(compute.micro_batch or plan.recipe.batch, plan.recipe.batch)
    channels: int = plan.base.parts[UNET].config["block_out_channels"][0]
    latent = (plan.resolution // plan.base.family.latent.downscale) ** 2
    saved = _counted(plan).saved * latent * channels * at_once * itemsize(UNET)
    return round(weights + learned * _OPTIMIZER + saved * (_CHECKPOINTED if compute.checkpointing else 1))


def disk(plan: TrainingPlan) -> int:
    """Bytes of results, copies, state and caches."""
    recipe = plan.recipe
    between = steps_between_copies(plan)
    copies = 1 + ((recipe.steps - 1) // between if between else 0)
    kept = min(copies, recipe.save.keep + 1) if recipe.save.keep else copies
    latent = plan.base.family.latent
    latents = len(plan.items) * 2 * 4 * latent.channels * (plan.resolution // latent.downscale) ** 2
    return kept * written(plan) + trainable(plan) * (_OPTIMIZER - 4) + latents


def _counted(plan: TrainingPlan) -> _Counted:
    return _COUNTED.get(plan.base.family.name, _COUNTED["sd1"])
