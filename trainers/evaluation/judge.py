"""What copies of a training are measured by: drawn, encoded and loaded once for all of them."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean

from PIL import Image

from inference.engine import Engine
from inference.plan import ModelPlan
from inference.weights.parts import VAE
from modelhub.jobs import Notice, Progress
from trainers.dataset import open_image
from trainers.evaluation.drawing import UNRELATED, Looks, draw
from trainers.evaluation.features import Features
from trainers.evaluation.likeness import Set, drift
from trainers.evaluation.verdict import Cell
from trainers.evaluation.words import vectors_of
from trainers.framing.views import Item
from trainers.learning.held_out import HeldOut
from trainers.material.gathering import gather
from trainers.material.texts import Texts
from trainers.objective import objective_of
from trainers.plan import TrainingPlan
from trainers.running.exporting import Written
from trainers.running.previews import with_trained

__all__ = ["Judge", "judge_of"]

_COMPARED = 200
"""Pictures of a dataset that others are compared with, at most."""
_APART = 1000
"""How far the other seeds are from the first."""


@dataclass(frozen=True, slots=True, eq=False)
class Judge:
    """Ready to measure cells."""

    plan: TrainingPlan
    engine: Engine
    looks: Looks
    known: Set
    """The pictures that were learned from."""
    plain: list[Image.Image]
    """What the base draws of the same prompts."""
    plain_likeness: Sequence[float]
    """Of each of these."""
    real_likeness: float | None
    """Mean of the held-out pictures: nothing that is drawn can be expected to be more alike."""
    elsewhere: Looks
    base_elsewhere: list[Image.Image]
    other_elsewhere: list[Image.Image]
    """At other seeds: by these, drift has its measure."""
    held_out: HeldOut

    def measure(
        self, copy: Sequence[Written], step: int, strength: float
    ) -> Generator[Progress | Notice, None, tuple[Cell, list[Image.Image]]]:
        """A copy at a strength, and what it drew."""
        worn = with_trained(self.plan.base, copy, self.plan.recipe, strength)
        drawn = yield from draw(self.plan.load, worn, self.looks, self.engine)
        elsewhere = yield from draw(self.plan.load, worn, self.elsewhere, self.engine)
        alike = self.known.likeness(drawn)
        cell = Cell(
            step=step,
            strength=strength,
            likeness=mean(alike),
            percentile=mean(mean(one > other for other in self.plain_likeness) for one in alike),
            drift=drift(elsewhere, self.base_elsewhere, self.other_elsewhere),
            losses=self.losses(worn),
        )
        return cell, drawn

    def losses(self, model: ModelPlan) -> tuple[float, ...]:
        """Of the held-out pictures."""
        models = self.engine.prepare(model)
        words = vectors_of(model, models)
        clip_skip, captions = self.plan.recipe.clip_skip, self.plan.recipe.dataset.captions
        texts = Texts(model, models, words, clip_skip=clip_skip, learns=True, captions=captions)
        return self.held_out.losses(models, texts)


def judge_of(
    plan: TrainingPlan, looks: Looks, features: Features, engine: Engine, cache: Path
) -> Generator[Progress | Notice, None, Judge]:
    """A judge of one training: encodes what was held out, and draws what the base makes of every prompt."""
    held_out = yield from _held_out(plan, engine, cache)
    elsewhere = replace(looks, prompts=UNRELATED, seeds=1)
    plain = yield from draw(plan.load, plan.base, looks, engine)
    base = yield from draw(plan.load, plan.base, elsewhere, engine)
    other = yield from draw(plan.load, plan.base, replace(elsewhere, seed=looks.seed + _APART), engine)
    known = Set([open_image(path) for path in _learned(plan)], features)
    real = known.likeness([open_image(path) for path in _spread(plan, plan.held_out)]) if plan.held_out else []
    return Judge(
        plan=plan,
        engine=engine,
        looks=looks,
        known=known,
        plain=plain,
        plain_likeness=known.likeness(plain),
        real_likeness=mean(real) if real else None,
        elsewhere=elsewhere,
        base_elsewhere=base,
        other_elsewhere=other,
        held_out=held_out,
    )


def _held_out(plan: TrainingPlan, engine: Engine, cache: Path) -> Generator[Progress | Notice, None, HeldOut]:
    models = engine.prepare(plan.base)
    material = yield from gather(plan, models[VAE], cache)
    return HeldOut.of(plan, material, objective_of(plan.base, plan.recipe, engine.device))


def _learned(plan: TrainingPlan) -> Sequence[Path]:
    """Pictures of what was learned, not of its class."""
    return _spread(plan, [item for item in plan.items if not item.prior])


def _spread(plan: TrainingPlan, items: Sequence[Item]) -> Sequence[Path]:
    """Their pictures; where these are many, some from all over the set."""
    paths = list(dict.fromkeys(plan.samples[item.sample].path for item in items))
    return paths[:: -(-len(paths) // _COMPARED)]
