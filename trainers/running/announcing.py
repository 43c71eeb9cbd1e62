"""What is said before a training begins: how much it is, what it takes, and how fast it will learn."""

from dataclasses import dataclass

import torch

from inference.engine import Engine
from inference.memory import giga
from modelhub.catalog import Catalog
from trainers.plan import TrainingPlan, plan_training
from trainers.recipe import LoraOptions, Recipe, TextualInversionOptions
from trainers.running.estimate import Estimate, describe, estimate
from trainers.running.probe import training_speed

__all__ = ["Forecast", "learning_told", "span"]


@dataclass(frozen=True, slots=True)
class Forecast:
    """A training that can begin, and what it will take on this machine."""

    plan: TrainingPlan
    needed: Estimate
    seconds: float
    """About."""
    room: int
    """Bytes of memory that are there for it."""

    @classmethod
    def of(cls, recipe: Recipe, catalog: Catalog, device: str) -> "Forecast":
        """Of a recipe that is only asked about."""
        return cls.planned(plan_training(recipe, catalog), Engine(device, half=torch.bfloat16))

    @classmethod
    def planned(cls, plan: TrainingPlan, engine: Engine) -> "Forecast":
        """Of one that shall be carried out by that engine."""
        needed = estimate(plan, engine.itemsize)
        return cls(plan, needed, needed.seconds(training_speed(engine.device)), engine.room)

    @property
    def lines(self) -> list[str]:
        """For people, with a warning where the memory may not do."""
        lines = [describe(self.needed), learning_told(self.plan.recipe), f"about {span(self.seconds)} on this machine"]
        if self.needed.memory > self.room:
            lines.append(
                f"that is more memory than the {giga(self.room)} that are there: "
                "take a smaller --batch, --micro-batch 1 or --checkpointing"
            )
        return lines


def learning_told(recipe: Recipe) -> str:
    """Rates, by what they come to: alpha hides how fast a LoRA learns."""
    options = recipe.options
    if isinstance(options, TextualInversionOptions):
        return f"{options.vectors} vectors at a learning rate of {options.learning_rate:g}"
    rate = f"learning rate {recipe.learning_rate:g}"
    if isinstance(options, LoraOptions) and options.algorithm != "oft":
        scale = options.scale_alpha / (options.rank**0.5 if options.rank_stabilized else options.rank)
        rate += f" x alpha {options.scale_alpha:g} / rank {options.rank} = {recipe.learning_rate * scale:.3g}"
    return f"{rate}; text encoder {recipe.text_encoder_learning_rate:g}"


def span(seconds: float) -> str:
    """``40 s``, ``12 min``, ``3 h 20 min``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
