"""A learning-rate range test (Smith 2015, https://arxiv.org/abs/1506.01186): rates rise until the training breaks.

A throw-away training takes steps at rates that rise geometrically. Where its smoothed loss falls fastest, and a tenth
of where it turns up for good, is where a training may begin.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from PIL import Image

from modelhub.catalog import Catalog
from modelhub.errors import BadValue, ModelHubError
from modelhub.jobs import Done, Job, Notice, Step
from trainers.beginning import Beginning, looked_over
from trainers.learning.smoothing import smoothed
from trainers.recipe import Recipe, TextualInversionOptions
from trainers.running.charts import Axis, Line, Point, chart
from trainers.running.training import engine_for, made_ready

__all__ = ["Range", "range_of", "range_test"]

_SHARE = 0.08
"""Of the steps over which losses are smoothed."""
_BROKEN = 1.5
"""Times its smallest, a smoothed loss tells that the training has broken."""
_FEWEST = 8
"""Steps, below which nothing can be told."""
_RAW, _SMOOTH = "#b9cfe8", "#1f5fa8"


@dataclass(frozen=True, slots=True)
class Range:
    """What the test came to."""

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    """At each rate, as they came."""
    smoothed: tuple[float, ...]
    steepest: float
    """Rate at which the smoothed loss falls fastest."""
    breaks: float | None
    """Rate from which on it only rises; None where none did."""
    suggested: float

    def picture(self) -> Image.Image:
        """Losses over rates, with the suggestion."""
        seen = sorted(one for one in self.smoothed if math.isfinite(one))
        room = 0.1 * (seen[-1] - seen[0]) or seen[-1] or 1.0
        lines = [
            Line("a step's loss", list(zip(self.rates, self.losses, strict=True)), _RAW),
            Line("smoothed", list(zip(self.rates, self.smoothed, strict=True)), _SMOOTH, width=3),
        ]
        across = Axis("learning rate", self.rates[0], self.rates[-1], logarithmic=True)
        up = Axis("loss", max(0.0, seen[0] - room), seen[-1] + room)
        return chart("learning rates", lines, across, up, marks=[(self.suggested, f"suggested {self.suggested:.2g}")])


def range_test(
    recipe: Recipe, *, catalog: Catalog, lowest: float = 1e-6, highest: float = 1e-1, steps: int = 100,
    device: str = "auto", beginning: Beginning | None = None,
) -> Job[Range]:  # fmt: skip
    """Try the rates from `lowest` to `highest` in so many steps; nothing is written, nothing catalogued.

    A dataset from which nothing can be learned is refused, as by a training; `beginning` is what was found before.
    """
    if steps < _FEWEST:
        mend = f"modelhub train range ... --steps {_FEWEST}"
        raise BadValue(f"{steps} steps tell nothing of learning rates", mend=mend)
    beginning = beginning or (yield from looked_over(recipe, catalog))
    plan = replace(beginning.plan, recipe=_for_a_test(beginning.plan.recipe, lowest, highest, steps))
    yield from map(Notice, [*beginning.told, *plan.notices])
    ready = yield from made_ready(plan, catalog.workspace.cache, engine_for(recipe, device))
    taken: list[Step] = []
    try:
        yield from _tried(ready.trainer.steps(), taken)
    finally:
        ready.trainee.detach()
    yield Done(range_of([(one.learning_rate, one.loss) for one in taken]))


def range_of(points: Sequence[Point]) -> Range:
    """What (rate, loss) of rising rates come to; raises `ModelHubError` where they are too few to tell."""
    if len(points) < _FEWEST:
        raise ModelHubError(
            f"the training broke after {len(points)} steps", mend="modelhub train range ... --lowest 1e-8"
        )
    course = smoothed(points, share=_SHARE)
    best = min(range(len(course)), key=lambda index: course[index][1])
    start = min(_FEWEST, best)  # the first losses are as noise has it
    steepest = min(range(start, max(best, start + 1)), key=lambda index: _slope(course, index))
    broken = next((rate for rate, loss in course[best:] if loss > _BROKEN * course[best][1]), None)
    suggested = course[steepest][0] if broken is None else min(course[steepest][0], broken / 10)
    rates, losses = zip(*points, strict=True)
    return Range(rates, losses, tuple(loss for _, loss in course), course[steepest][0], broken, suggested)


def _slope(course: Sequence[Point], index: int) -> float:
    """Of the smoothed loss, around a place; negative where it falls."""
    before, after = course[max(0, index - 2)], course[min(len(course) - 1, index + 2)]
    return (after[1] - before[1]) / (math.log(after[0] / before[0]) or 1.0)


def _tried(steps: Iterator[Step | Notice], taken: list[Step]) -> Iterator[Step]:
    """Steps until the training breaks: it goes back then, or gives up."""
    with suppress(ModelHubError):
        for event in steps:
            if isinstance(event, Step):
                if taken and event.step <= taken[-1].step:
                    return
                taken.append(event)
                yield event


def _for_a_test(recipe: Recipe, lowest: float, highest: float, steps: int) -> Recipe:
    """The recipe with rates that rise, all in the proportions that it gives them."""
    first = recipe.learning_rate
    rising = {"schedule": "rising", "floor": lowest / highest, "warmup": 0.0}
    second = recipe.second_text_encoder_learning_rate
    changes: dict[str, object] = {
        "steps": steps,
        "learning_rate": highest,
        "text_encoder_learning_rate": recipe.text_encoder_learning_rate / first * highest,
        "second_text_encoder_learning_rate": None if second is None else second / first * highest,
        "optimizer": recipe.optimizer.model_copy(update=rising),
        "compute": recipe.compute.model_copy(update={"ema": 0.0}),
    }
    if isinstance(recipe.options, TextualInversionOptions):
        changes["options"] = recipe.options.model_copy(update={"learning_rate": highest})
    return recipe.model_copy(update=changes)
