"""Recipe -> model in the catalog: the one path of every training, new or resumed."""

import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from inference.engine import Engine, pick_device
from inference.schedules import SigmaTable
from inference.weights.parts import UNET, VAE
from modelhub.catalog import Catalog
from modelhub.errors import BadValue, Conflict, OutOfResources, UnknownRef
from modelhub.headers import read_table
from modelhub.jobs import Done, Job, Notice, Preview, Progress
from modelhub.kinds import Artifact, Kind
from modelhub.refs import check_name
from trainers.caches import LatentCache
from trainers.exporting import write
from trainers.loop import Trainer
from trainers.material import Material
from trainers.methods import Trainee
from trainers.methods import lora as lora_method
from trainers.objective import Objective
from trainers.plan import TrainingPlan, plan_training
from trainers.previews import previews
from trainers.recipe import Recipe
from trainers.runs import RunFolder
from trainers.texts import Texts
from trainers.views import View

__all__ = ["resume", "train"]

_STATE_EVERY = 100
"""Steps between resumable states where the recipe says nothing, so that a killed process loses little."""


@dataclass(frozen=True, slots=True)
class _Training:
    """Everything that one training works with."""

    plan: TrainingPlan
    run: int
    folder: RunFolder
    result: Path
    catalog: Catalog
    device: str
    started: float

    @property
    def recipe(self) -> Recipe:
        return self.plan.recipe


def train(recipe: Recipe, *, catalog: Catalog, device: str = "auto") -> Job[Artifact]:
    """Train a recipe and catalogue what comes of it.

    Everything that can be wrong with the recipe, the base or the dataset is said before anything is loaded.
    Stopped at any time, the run keeps a state that `resume` goes on from.
    """
    check_name(recipe.name)
    pick_device(device)
    result = catalog.free_place(recipe.name, Kind.LORA)
    plan = plan_training(recipe, catalog)
    run = catalog.begin_run("train", plan.recipe.payload(), [("base", plan.load.used[0][1])])
    folder = _folder(catalog, run, recipe.name)
    folder.begin(plan.recipe)
    yield from _carry_out(_Training(plan, run, folder, result, catalog, device, time.time()), state=None)


def resume(run: int, *, catalog: Catalog, device: str = "auto") -> Job[Artifact]:
    """Go on with an interrupted training: it takes the very steps that it would have taken.

    One that was stopped before its first state begins anew. Raises `Conflict` while another process is at it, and
    `Incompatible` when recipe or dataset have changed since, naming which.
    """
    pick_device(device)
    recorded = catalog.run(run)
    if recorded.kind != "train":
        raise BadValue(f"run {run} is no training", mend="modelhub train lora --help")
    if recorded.state == "done":
        raise BadValue(f"run {run} is finished: it made {', '.join(map(str, recorded.outputs))}", mend="modelhub ls")
    if recorded.state == "running":
        raise Conflict(f"run {run} is still going on in another process", mend=f"stop it first, or wait for run {run}")
    folder = _folder(catalog, run, str(recorded.payload["name"]))
    plan = plan_training(folder.read_recipe(), catalog)
    state = folder.load_state(recipe=plan.recipe, dataset=plan.dataset)
    folder.forget_losses_after(state["step"] if state else 0)
    _clear_leftover(plan.recipe, catalog)
    result = catalog.free_place(plan.recipe.name, Kind.LORA)
    catalog.resume_run(run)
    yield from _carry_out(_Training(plan, run, folder, result, catalog, device, time.time()), state=state)


def _carry_out(training: _Training, state: Mapping[str, object] | None) -> Job[Artifact]:
    """Load, train, write, compare, catalogue; whatever happens, the state and the run's end are kept."""
    outcome, wrong = "interrupted", None
    trainer: Trainer | None = None
    trainee: Trainee | None = None
    made: list[int] = []
    try:
        models = Engine(training.device, half=torch.bfloat16).prepare(training.plan.base)
        material = yield from _material(training, models[VAE])
        trainee = lora_method.prepare(models, training.plan.base, training.recipe)
        trainer = _trainer(training, models, trainee, material)
        if state:
            trainer.load_state(state)
            yield Notice(f"goes on at step {trainer.step} of {training.recipe.steps}")
        for step in trainer.steps():
            training.folder.note_loss(step.step, step.loss, step.learning_rate)
            yield step
            yield from _on_the_way(training, trainer, trainee)
        _write(training, trainee, trainer.step, training.result)
        artifact = _catalogued(training)
        made.append(artifact.id)
        outcome = "done"
        training.folder.forget_state()
    except torch.OutOfMemoryError as error:
        outcome, wrong = "failed", "the GPU's memory is full"
        raise OutOfResources(wrong, mend="modelhub train lora ... --batch 1, or a smaller --resolution") from error
    except Exception as error:
        outcome, wrong = "failed", str(error)
        raise
    finally:
        if trainee:
            trainee.detach()
        try:
            if trainer and trainer.can_go_on and outcome != "done":
                _save_state(training, trainer)
        finally:
            training.catalog.finish_run(training.run, state=outcome, outputs=made, error=wrong)
    yield Done(artifact)


def _material(training: _Training, vae: nn.Module) -> Generator[Progress, None, Material]:
    """What the loop learns from; latents come from the cache where they can."""
    plan = training.plan
    digest = plan.base.vae.sha256 if plan.base.vae else plan.base.model.sha256
    cache = LatentCache(training.catalog.workspace.cache / "latents", vae, digest)
    views = [
        View(item.sample, item.placement, mirrored)
        for item in plan.items
        for mirrored in ((False, True) if plan.samples[item.sample].subset.augment.flip else (False,))
    ]
    latents = yield from cache.fill(plan.samples, views)
    return Material(plan.samples, plan.items, latents, plan.base.family.latent)


def _trainer(training: _Training, models: Mapping[str, nn.Module], trainee: Trainee, material: Material) -> Trainer:
    plan, recipe = training.plan, training.recipe
    device = next(models[UNET].parameters()).device
    sigmas = torch.tensor(SigmaTable(plan.base.noise).sigmas, device=device)
    objective = Objective(plan.base.prediction, sigmas, recipe.loss.min_snr_gamma or None)
    learns = trainee.trains_text_encoder
    texts = Texts(plan.base, models, trainee.words, clip_skip=recipe.clip_skip, learns=learns)
    return Trainer(models, texts, trainee, material, objective, recipe, device)


def _on_the_way(training: _Training, trainer: Trainer, trainee: Trainee) -> Iterator[Preview]:
    """Copies, states and previews that are due after the step just taken."""
    recipe, step = training.recipe, trainer.step
    if step == recipe.steps:
        return
    if step % (recipe.save.every or _STATE_EVERY) == 0:
        _save_state(training, trainer)
    copy = training.folder.copy(recipe.name, step)
    if recipe.save.every and step % recipe.save.every == 0:
        _write(training, trainee, step, copy)
    if recipe.preview.every and step % recipe.preview.every == 0:
        if not copy.is_file():
            _write(training, trainee, step, copy)
        yield from previews(training.plan, copy, step, training.folder, Engine(training.device))


def _write(training: _Training, trainee: Trainee, step: int, path: Path) -> None:
    write(training.plan, trainee, step, path.parent, path.stem, training.started)


def _catalogued(training: _Training) -> Artifact:
    """The result in the catalog; what cannot be catalogued is not left where its name would bar a second try."""
    try:
        return training.catalog.add(training.result, name=training.recipe.name)
    except BaseException:
        training.result.unlink(missing_ok=True)
        raise


def _clear_leftover(recipe: Recipe, catalog: Catalog) -> None:
    """Remove the result of this very recipe that a killed process wrote and had no time to catalogue."""
    path = _place_of(recipe.name, catalog)
    if path.is_file() and read_table(path).metadata.get("modelhub.recipe") == recipe.to_json():
        with suppress(UnknownRef):
            catalog.resolve(str(path))
            return
        path.unlink()


def _place_of(name: str, catalog: Catalog) -> Path:
    return catalog.workspace.models / "lora" / f"{name}.safetensors"


def _save_state(training: _Training, trainer: Trainer) -> None:
    training.folder.save_state(trainer.state(), recipe=training.recipe, dataset=training.plan.dataset)


def _folder(catalog: Catalog, run: int, name: str) -> RunFolder:
    return RunFolder(catalog.workspace.runs / f"{run:04d}-{name}")
