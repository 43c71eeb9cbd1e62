"""What a training will take, from its plan alone: steps, time, memory, disk (no torch).

Operations and what is kept for the way back were counted on the published UNets (torch's FlopCounterMode and hooks on
saved tensors, on the meta device): both grow with a network's parameters or channels and with the latents' area, and
operations a little faster than that, by attention.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import prod

from inference.memory import giga
from inference.weights.parts import TEXT_ENCODER, TEXT_ROLES, UNET, VAE, Part
from trainers.plan import TrainingPlan
from trainers.recipe import FullOptions, HypernetworkOptions, LoraOptions, Recipe, TextualInversionOptions
from trainers.running.epochs import epochs_after, steps_between_copies

__all__ = ["Estimate", "describe", "estimate", "passes"]


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
_TEXT_BLOCKS = (".self_attn.", ".mlp.")


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
    trainable = _trainable(plan)
    batch = recipe.batch * recipe.compute.accumulate
    return Estimate(
        steps=recipe.steps,
        epochs=epochs_after(plan, recipe.steps),
        pictures=len({item.sample for item in plan.items}),
        shown=recipe.steps * batch,
        trainable=trainable,
        operations=recipe.steps * batch * _operations(plan),
        memory=_memory(plan, itemsize, trainable),
        disk=_disk(plan, trainable),
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
    forward = (counted.linear * area + counted.square * area**2) * _parameters(plan.base.parts[UNET])
    return forward / counted.parameters * passes(plan.recipe)


def _memory(plan: TrainingPlan, itemsize: Callable[[str], int], trainable: int) -> int:
    """Weights, what learns, and what a micro-batch keeps for its way back."""
    compute = plan.recipe.compute
    weights = sum(_parameters(part) * itemsize(role) for role, part in plan.base.parts.items())
    at_once = min(compute.micro_batch or plan.recipe.batch, plan.recipe.batch)
    channels: int = plan.base.parts[UNET].config["block_out_channels"][0]
    latent = (plan.resolution // plan.base.family.latent.downscale) ** 2
    saved = _counted(plan).saved * latent * channels * at_once * itemsize(UNET)
    return round(weights + trainable * _OPTIMIZER + saved * (_CHECKPOINTED if compute.checkpointing else 1))


def _disk(plan: TrainingPlan, trainable: int) -> int:
    recipe = plan.recipe
    between = steps_between_copies(plan)
    copies = 1 + ((recipe.steps - 1) // between if between else 0)
    kept = min(copies, recipe.save.keep + 1) if recipe.save.keep else copies
    result = _written(plan, trainable) * (4 if recipe.export.precision == "fp32" else 2) * len(recipe.export.formats)
    latent = plan.base.family.latent
    latents = len(plan.items) * 2 * 4 * latent.channels * (plan.resolution // latent.downscale) ** 2
    return kept * result + trainable * (_OPTIMIZER - 4) + latents


def _written(plan: TrainingPlan, trainable: int) -> int:
    """Numbers of one result: a checkpoint holds more than what learns."""
    options = plan.recipe.options
    if isinstance(options, FullOptions) and options.keeps == "checkpoint":
        return sum(map(_parameters, plan.base.parts.values()))
    return trainable


def _trainable(plan: TrainingPlan) -> int:
    """About so many numbers learn; other algorithms than LoRA's have fewer."""
    options, parts = plan.recipe.options, plan.base.parts
    if isinstance(options, LoraOptions):
        words = _words(plan, options.pivotal) if options.pivotal else 0
        return sum(_factors(plan, options, role, part) for role, part in parts.items() if role != VAE) + words
    if isinstance(options, TextualInversionOptions):
        return _words(plan, options)
    if isinstance(options, HypernetworkOptions):
        return _hypernetwork(parts[UNET], options)
    learns = [UNET, *(TEXT_ROLES if plan.recipe.text_encoder_learning_rate else ())]
    return sum(_parameters(parts[role]) for role in learns if role in parts)


def _factors(plan: TrainingPlan, options: LoraOptions, role: str, part: Part) -> int:
    """Rows and columns of every layer that has factors, as many of each as the rank."""
    if role in TEXT_ROLES and not _rate(plan, role):
        return 0
    total = 0
    for name, shape in part.modules.items():
        is_linear = len(shape) == 2 or (len(shape) == 4 and shape[2:] == (1, 1))
        if role in TEXT_ROLES:
            total += options.rank * sum(shape[:2]) if any(one in name for one in _TEXT_BLOCKS) else 0
        elif ".attentions." in f".{name}" and is_linear:
            total += options.rank * sum(shape[:2])
        elif options.conv_rank and len(shape) == 4 and not is_linear:
            total += options.conv_rank * (shape[0] + prod(shape[1:]))
    return total


def _rate(plan: TrainingPlan, role: str) -> float:
    first, second = plan.recipe.text_encoder_learning_rate, plan.recipe.second_text_encoder_learning_rate
    return first if role == TEXT_ENCODER or second is None else second


def _words(plan: TrainingPlan, options: TextualInversionOptions) -> int:
    widths: list[int] = [part.config["hidden_size"] for role, part in plan.base.parts.items() if role in TEXT_ROLES]
    return options.vectors * sum(widths)


def _hypernetwork(unet: Part, options: HypernetworkOptions) -> int:
    """A pair of nets for each width of what enters the keys of attention."""
    widths = {shape[1] for name, shape in unet.modules.items() if name.endswith("to_k")}
    layers = zip(options.structure, options.structure[1:], strict=False)
    return round(2 * sum(sum(one * other for one, other in layers) * width**2 for width in widths))


def _counted(plan: TrainingPlan) -> _Counted:
    return _COUNTED.get(plan.base.family.name, _COUNTED["sd1"])


def _parameters(part: Part) -> int:
    return sum(map(prod, part.shapes.values()))
