"""One training under way: what it works with, and how it is made ready."""

import importlib
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from inference.engine import Engine, pick_device
from inference.weights.parts import UNET, VAE
from modelhub.catalog import Catalog
from modelhub.jobs import Notice, Progress
from trainers.learning.loop import Trainer
from trainers.learning.precision import dtype_of
from trainers.material.gathering import gather, gather_texts
from trainers.material.material import Material
from trainers.material.texts import Texts
from trainers.methods import Trainee
from trainers.objective import Objective, objective_of
from trainers.plan import TrainingPlan
from trainers.recipe import Recipe
from trainers.running.runs import RunFolder

__all__ = ["Ready", "Training", "engine_for", "made_ready"]


@dataclass(frozen=True, slots=True)
class Training:
    """A run that was begun."""

    plan: TrainingPlan
    run: int
    """Its number in the catalog."""
    folder: RunFolder
    catalog: Catalog
    device: str

    @property
    def recipe(self) -> Recipe:
        return self.plan.recipe


@dataclass(frozen=True, slots=True, eq=False)
class Ready:
    """Models loaded, latents at hand, the trainee joined to its base: the first step can be taken."""

    models: Mapping[str, nn.Module]
    material: Material
    texts: Texts
    objective: Objective
    trainee: Trainee
    trainer: Trainer


def engine_for(recipe: Recipe, device: str) -> Engine:
    """Loads models as a training of that recipe keeps them."""
    return Engine(device, half=dtype_of(recipe.compute, pick_device(device)))


def made_ready(plan: TrainingPlan, cache: Path, engine: Engine) -> Generator[Progress | Notice, None, Ready]:
    """Load and cache all that a plan needs; who gets it calls `trainee.detach` in the end."""
    recipe = plan.recipe
    models = engine.prepare(plan.base)
    material = yield from gather(plan, models[VAE], cache)
    trainee: Trainee = importlib.import_module(f"trainers.methods.{recipe.method}").prepare(models, plan.taught, recipe)
    try:
        texts = Texts(
            plan.base, models, trainee.words, clip_skip=recipe.clip_skip, learns=trainee.trains_text_encoder,
            captions=recipe.dataset.captions, folder=cache / "texts",
        )  # fmt: skip
        yield from gather_texts(plan, texts)
        models = {role: one for role, one in models.items() if role == UNET or (role != VAE and texts.has_encoders)}
        engine.release()
        on = next(models[UNET].parameters()).device
        objective = objective_of(plan.base, recipe, on)
        trainer = Trainer(
            models=models, texts=texts, trainee=trainee, material=material, objective=objective, recipe=recipe,
            device=on,
        )  # fmt: skip
    except BaseException:
        trainee.detach()
        raise
    return Ready(models, material, texts, objective, trainee, trainer)
