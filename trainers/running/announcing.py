"""What is said before a training begins: how much it is, how fast it will learn, and what it takes.

That is reckoned from a plan alone; once models are loaded, steps that were tried tell better.
"""

from dataclasses import dataclass

from inference.engine import Engine
from inference.memory import giga
from trainers.plan import TrainingPlan
from trainers.recipe import LoraOptions, Recipe, TextualInversionOptions
from trainers.running.copies import Dues
from trainers.running.estimate import Estimate, describe, estimate
from trainers.running.probe import training_speed
from trainers.running.rehearsal import Rehearsal
from trainers.running.training import engine_for

__all__ = ["Forecast", "announcement", "learning_told", "outlook", "span"]


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a recipe that is only asked about would take on this machine: nothing is loaded for it."""

    plan: TrainingPlan
    needed: Estimate
    seconds: float
    """Roughly: by operations alone."""
    room: int
    """Bytes of memory that are there for it."""

    @classmethod
    def of(cls, plan: TrainingPlan, device: str) -> "Forecast":
        engine = engine_for(plan.recipe, device)
        needed = estimate(plan, engine.itemsize)
        return cls(plan, needed, needed.seconds(training_speed(engine.device)), engine.room)

    @property
    def lines(self) -> list[str]:
        """For people."""
        spent = f"roughly {span(self.seconds)} on this machine, reckoned with nothing loaded"
        return [*_told(self.plan, self.needed, self.room), f"{spent}; a training tries some steps first, and says more"]


def announcement(plan: TrainingPlan, engine: Engine) -> list[str]:
    """Of a training that begins; how long it will take is said when its models are there."""
    return _told(plan, estimate(plan, engine.itemsize), engine.room)


def _told(plan: TrainingPlan, needed: Estimate, room: int) -> list[str]:
    """With a warning where the memory may not do."""
    lines = [describe(needed), learning_told(plan.recipe)]
    if needed.memory > room:
        lines.append(
            f"that is more memory than the {giga(room)} that are there: "
            "take a smaller --batch, --micro-batch 1 or --checkpointing"
        )
    return lines


def outlook(plan: TrainingPlan, tried: Rehearsal, taken: int) -> str:
    """How long what is left after the steps taken will take, and the memory, by steps that were tried."""
    left = range(taken + 1, plan.recipe.steps + 1)
    beside = tried.answer * _answers(plan, left)
    told = f", {span(beside)} of it for held-out pictures and previews" if beside >= 1 else ""
    return (
        f"about {span(len(left) * tried.step + beside)} on this machine, by steps that were tried: "
        f"{tried.step:.3g} s each{told}; {giga(tried.memory)} of memory"
    )


def _answers(plan: TrainingPlan, steps: range) -> float:
    """Pictures of the training's resolution that the UNet answers for beside learning."""
    dues, recipe = Dues.of(plan), plan.recipe
    looks, drawn = (sum(map(due, steps)) for due in (dues.look, dues.preview))
    each = len(recipe.preview.prompts) * recipe.preview.sampling_steps * (2 if recipe.preview.cfg != 1 else 1)
    width, height = plan.load.size
    return looks * len(plan.held_out) * recipe.validation.pairs + drawn * each * width * height / plan.resolution**2


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
