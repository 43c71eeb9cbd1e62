"""Recipe -> model in the catalog: the one path of every training, new or resumed."""

import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import nn

from inference.engine import Engine, pick_device
from inference.generate import Picture, render
from inference.images.png import save
from inference.plan import LoadPlan, plan_adapter, resolve
from inference.request import GenerationRequest
from inference.schedules import SigmaTable
from inference.weights.save import save_tensors, tensor_digest
from inference.weights.single_file import UNET, VAE
from modelhub.catalog import Catalog
from modelhub.errors import BadValue, Conflict, Incompatible, ModelHubError, OutOfResources, UnknownRef
from modelhub.headers import read_table
from modelhub.jobs import Done, Job, Notice, Preview, Progress
from modelhub.kinds import Artifact, Kind
from modelhub.refs import check_name
from trainers.buckets import Placement, bucket_sizes, default_step, place
from trainers.caches import LatentCache
from trainers.dataset import Sample, dataset_digest, read_dataset
from trainers.loop import Material, Trainer
from trainers.metadata import Trained, lora_metadata
from trainers.methods import Trainee
from trainers.methods import lora as lora_method
from trainers.objective import Objective
from trainers.recipe import Recipe
from trainers.runs import RunFolder

__all__ = ["resume", "train"]

_STATE_EVERY = 100
"""Steps between resumable states where the recipe says nothing, so that a killed process loses little."""
_TRAINED = ("sd1",)
"""Families of which captions are read as they are for a picture."""


@dataclass(frozen=True, slots=True)
class _Training:
    """Everything that one training works with."""

    recipe: Recipe
    plan: LoadPlan
    samples: list[Sample]
    placements: list[Placement]
    run: int
    folder: RunFolder
    result: Path
    catalog: Catalog
    device: str
    started: float


def train(recipe: Recipe, *, catalog: Catalog, device: str = "auto") -> Job[Artifact]:
    """Train a recipe and catalogue what comes of it.

    Everything that can be wrong with the recipe, the base or the dataset is said before anything is loaded.
    Stopped at any time, the run keeps a state that `resume` goes on from.
    """
    check_name(recipe.name)
    pick_device(device)
    plan, result = _plan(recipe, catalog), catalog.free_place(recipe.name, Kind.LORA)
    resolved = recipe.model_copy(
        update={
            "base": plan.request.model,
            "dataset": recipe.dataset.model_copy(update={"images": recipe.dataset.images.absolute()}),
        }
    )
    samples = read_dataset(resolved.dataset.images)
    placements = _placements(resolved, plan, samples)
    run = catalog.begin_run("train", resolved.payload(), [("base", plan.used[0][1])])
    folder = _folder(catalog, run, recipe.name)
    folder.begin(resolved)
    training = _Training(resolved, plan, samples, placements, run, folder, result, catalog, device, time.time())
    yield from _carry_out(training, state=None)


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
    recipe = folder.read_recipe()
    samples = read_dataset(recipe.dataset.images)
    state = folder.load_state(recipe=recipe, dataset=dataset_digest(samples))
    folder.forget_losses_after(state["step"] if state else 0)
    _clear_leftover(recipe, catalog)
    plan, result = _plan(recipe, catalog), catalog.free_place(recipe.name, Kind.LORA)
    placements = _placements(recipe, plan, samples)
    catalog.resume_run(run)
    training = _Training(recipe, plan, samples, placements, run, folder, result, catalog, device, time.time())
    yield from _carry_out(training, state=state)


def _carry_out(training: _Training, state: Mapping[str, object] | None) -> Job[Artifact]:
    """Load, train, write, compare, catalogue; whatever happens, the state and the run's end are kept."""
    outcome, wrong = "interrupted", None
    trainer: Trainer | None = None
    trainee: Trainee | None = None
    made: list[int] = []
    try:
        models = Engine(training.device, half=torch.bfloat16).prepare(training.plan.base)
        material = yield from _material(training, models[VAE])
        trainee = lora_method.prepare(models, training.plan.base.parts, training.recipe)
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
    digest = training.plan.base.vae.sha256 if training.plan.base.vae else training.plan.base.model.sha256
    cache = LatentCache(training.catalog.workspace.cache / "latents", vae, digest)
    samples, flip = training.samples, training.recipe.dataset.flip
    latents = yield from cache.fill(samples, training.placements, flip=flip)
    return Material(
        latents=latents,
        captions=[sample.caption for sample in samples],
        buckets=[placement.bucket for placement in training.placements],
        order=[index for index, sample in enumerate(samples) for _ in range(sample.repeats)],
        latent_scale=training.plan.base.family.latent.scale,
    )


def _trainer(training: _Training, models: Mapping[str, nn.Module], trainee: Trainee, material: Material) -> Trainer:
    device = next(models[UNET].parameters()).device
    sigmas = torch.tensor(SigmaTable(training.plan.base.noise).sigmas, device=device)
    objective = Objective(training.plan.base.prediction, sigmas, training.recipe.min_snr_gamma or None)
    return Trainer(models, trainee, material, objective, training.recipe, device)


def _on_the_way(training: _Training, trainer: Trainer, trainee: Trainee) -> Iterator[Preview]:
    """Copies, states and previews that are due after the step just taken."""
    recipe, step = training.recipe, trainer.step
    if step == recipe.steps:
        return
    if step % (recipe.save_every or _STATE_EVERY) == 0:
        _save_state(training, trainer)
    if recipe.save_every and step % recipe.save_every == 0:
        _write(training, trainee, step, training.folder.copy(recipe.name, step))
    if recipe.preview.every and step % recipe.preview.every == 0:
        yield from _previews(training, trainee, step)


def _previews(training: _Training, trainee: Trainee, step: int) -> Iterator[Preview]:
    """Draw the recipe's prompts with the model as it now is, written and read back like any other LoRA."""
    wanted = training.recipe.preview
    copy = training.folder.copy(training.recipe.name, step)
    if not copy.is_file():
        _write(training, trainee, step, copy)
    plan = training.plan
    engine = Engine(training.device)
    for number, prompt in enumerate(wanted.prompts, start=1):
        request = plan.request.model_copy(
            update={
                "prompt": prompt,
                "negative_prompt": wanted.negative_prompt,
                "steps": wanted.sampling_steps,
                "cfg": wanted.cfg,
                "seed": wanted.seed,
            }
        )
        adapter = plan_adapter(copy, plan.base.parts, name=copy.stem)
        for event in render(replace(plan, request=request, base=replace(plan.base, adapters=(adapter,))), engine):
            if isinstance(event, Picture):
                path = training.folder.preview(step, number)
                save(event.image, path, {"parameters": event.infotext})
                yield Preview(step, path)


def _write(training: _Training, trainee: Trainee, step: int, path: Path) -> None:
    """Write the model, read it back, and keep it only if it is what was trained."""
    tensors = trainee.tensors()
    trained = Trained(
        recipe=training.recipe,
        family=training.plan.base.family,
        prediction=training.plan.base.prediction,
        base=training.plan.base.model,
        samples=training.samples,
        buckets=[placement.bucket for placement in training.placements],
        resolution=_resolution(training.recipe, training.plan),
        steps=step,
        started=training.started,
        finished=time.time(),
    )
    save_tensors(path, tensors, lora_metadata(trained, tensor_digest(tensors)))
    try:
        trainee.check(path)
    except ModelHubError:
        path.unlink()
        raise


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
    digest = dataset_digest(training.samples)
    training.folder.save_state(trainer.state(), recipe=training.recipe, dataset=digest)


def _plan(recipe: Recipe, catalog: Catalog) -> LoadPlan:
    """The base, looked up and checked as for a picture."""
    plan = resolve(GenerationRequest(prompt="", model=recipe.base, seed=0, clip_skip=recipe.clip_skip), catalog)
    if plan.base.family.name not in _TRAINED:
        raise Incompatible(
            f"training on {plan.base.family.title} models is not possible yet: {plan.base.model.name} is one",
            mend="modelhub ls --family sd1 --kind checkpoint",
        )
    return plan


def _placements(recipe: Recipe, plan: LoadPlan, samples: list[Sample]) -> list[Placement]:
    """How each image becomes a training picture."""
    resolution = _resolution(recipe, plan)
    step = recipe.dataset.bucket_step or default_step(resolution)
    sizes = bucket_sizes(resolution, step) if recipe.dataset.buckets else [(resolution, resolution)]
    return [place(sample.size, sizes) for sample in samples]


def _resolution(recipe: Recipe, plan: LoadPlan) -> int:
    return recipe.dataset.resolution or plan.size[0]


def _folder(catalog: Catalog, run: int, name: str) -> RunFolder:
    return RunFolder(catalog.workspace.runs / f"{run:04d}-{name}")
