"""Epochs told in steps (pure)."""

import math

from trainers.plan import TrainingPlan

__all__ = ["epochs_after", "steps_between_copies", "steps_of_epoch"]


def steps_of_epoch(plan: TrainingPlan) -> int:
    """In which all pictures are seen as often as they are repeated, on average over the epochs."""
    seen = sum(item.repeats for item in plan.items)
    return max(1, math.ceil(seen / (plan.recipe.batch * plan.recipe.compute.accumulate)))


def epochs_after(plan: TrainingPlan, steps: int) -> int:
    """Begun or done by then."""
    return math.ceil(steps / steps_of_epoch(plan))


def steps_between_copies(plan: TrainingPlan) -> int:
    """As the recipe says, in steps or in epochs; 0 for none."""
    save = plan.recipe.save
    return save.every or save.epochs * steps_of_epoch(plan)
