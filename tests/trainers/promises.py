"""What every training promises, whatever its recipe; `check_promises` fails with a sentence for what was broken."""

import random
import shutil
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors.torch import load_file

from inference.adapters.algorithms import applied
from inference.adapters.merge import read_factors
from inference.engine import Engine
from inference.generate import generate
from inference.plan import plan_adapter
from inference.request import GenerationRequest, LoraUse
from modelhub.catalog import Catalog
from modelhub.errors import ModelHubError
from modelhub.jobs import Done, Step, drain
from modelhub.kinds import Artifact, Kind
from modelhub.workspace import Workspace
from tests.trainers.any_recipe import Ground
from trainers.beginning import in_the_way, look_over
from trainers.fitting.packages import lacking
from trainers.learning.order import remaining
from trainers.material.material import Material
from trainers.plan import TrainingPlan, plan_training
from trainers.recipe import Recipe, parse_recipe, read_recipe, write_recipe
from trainers.running.announcing import Forecast
from trainers.running.repeating import retold
from trainers.running.runs import RunFolder
from trainers.train import resume, train

__all__ = ["check_promises"]

T = TypeVar("T")


@dataclass(frozen=True)
class _Foreseen:
    """What --dry-run says."""

    steps: int
    told: list[str]
    """What would be in the way."""


@dataclass(frozen=True)
class _Whole:
    """A training that nothing came between."""

    made: Artifact
    run: int
    again: Recipe
    """As the header of what it made tells it."""
    files: Mapping[str, bytes]
    steps: int
    killed_at: int
    """The step after which its workspace was copied; 0 for none."""


def check_promises(fields: dict[str, Any], ground: Ground, place: Path, seed: int, *, again: bool = True) -> str:
    """Train it whole, and `again`: killed and resumed, and repeated from its header; returns why it is refused, if so.

    All lie at one path in turn: that of a workspace decides nothing, but a recipe may name folders within it.
    """
    chance, home = random.Random(seed), place / "home"
    recipe = _or_error(lambda: parse_recipe(fields, "the recipe"))
    if isinstance(recipe, ModelHubError):
        return _refusal(recipe)
    _check_toml(recipe, place)
    with ground.catalog(home) as catalog:
        foreseen = _foreseen(recipe, catalog)
        whole = _trained(recipe, catalog, foreseen, chance, place)
    if isinstance(whole, ModelHubError):
        return _refusal(whole)
    if not again:
        return ""
    home.rename(place / "whole")
    if whole.killed_at:
        (place / "killed").rename(home)
        _check_resumed(whole, home)
        shutil.rmtree(home)
    with ground.catalog(home) as catalog:
        _check_repeated(whole, catalog, place / "whole" / whole.made.path.relative_to(home), chance)
    return ""


def _or_error(ask: Callable[[], T]) -> T | ModelHubError:
    try:
        return ask()
    except ModelHubError as error:
        return error


def _foreseen(recipe: Recipe, catalog: Catalog) -> _Foreseen:
    begun = _or_error(lambda: drain(look_over(recipe, catalog)))
    if isinstance(begun, ModelHubError):  # a run tells what is not installed first
        return _Foreseen(0, [begun.message, *(one.message for one in lacking(recipe))])
    told = [one.message for one in in_the_way(begun.plan, catalog)]
    return _Foreseen(Forecast.of(begun.plan, "cpu").needed.steps, told)


def _refusal(error: ModelHubError) -> str:
    assert error.message, f"a {type(error).__name__} without words"
    assert error.mend, f"a {type(error).__name__} without a mend: {error.message}"
    return f"{type(error).__name__}: {error.message}"


def _trained(
    recipe: Recipe, catalog: Catalog, foreseen: _Foreseen, chance: random.Random, place: Path
) -> _Whole | ModelHubError:
    """Train it, and copy the workspace after a step, as a killed process would leave it."""
    steps: list[Step] = []
    killed_at, made = 0, None
    try:
        for event in train(recipe, catalog=catalog, device="cpu"):
            if isinstance(event, Step):
                steps.append(event)
                killed_at = killed_at or chance.randint(1, max(1, event.total - 1))
                if event.step == killed_at < event.total:
                    shutil.copytree(catalog.workspace.root, place / "killed")
            made = event.result if isinstance(event, Done) else made
    except ModelHubError as error:
        _check_foreseen(error, foreseen, len(steps))
        return error
    assert not foreseen.told, f"only --dry-run tells: {foreseen.told}"
    assert made
    return _whole(recipe, catalog, foreseen, made, steps, killed_at if (place / "killed").exists() else 0)


def _check_foreseen(error: ModelHubError, foreseen: _Foreseen, steps: int) -> None:
    """What is wrong is told before the first step, and by --dry-run alike; but that nothing was learned, at the end."""
    if error.message.startswith("nothing was learned") and steps:
        return
    assert not steps, f"it fails after {steps} steps: {error.message}"
    assert error.message in foreseen.told, f"--dry-run tells {foreseen.told}, the run {error.message}"


def _whole(
    recipe: Recipe, catalog: Catalog, foreseen: _Foreseen, made: Artifact, steps: list[Step], killed_at: int
) -> _Whole:  # fmt: skip
    """A training that ended, once all that can be seen of it is as promised."""
    run = catalog.last_run("train")
    assert run
    resolved = RunFolder.of(catalog.workspace, run.id, recipe.name).read_recipe()
    plan = plan_training(resolved, catalog)
    _check_steps(recipe, plan, foreseen, steps)
    _check_weights(plan, made, catalog)
    _check_formats(plan, catalog.workspace.models / "lora")
    again = parse_recipe(retold(made.path, catalog), "the header")
    told = _undrawn(resolved)
    assert again == told, f"the header tells another recipe: {_differences(again, told)}"
    files = _files(catalog.workspace)
    _check_drawn_with(made, resolved, catalog)
    return _Whole(made, run.id, again, files, len(steps), killed_at)


def _check_resumed(whole: _Whole, home: Path) -> None:
    with Catalog.open(Workspace(home)) as catalog:
        catalog.finish_run(whole.run, state="interrupted", outputs=[])  # as the next command does with a dead process
        drain(resume(whole.run, catalog=catalog, device="cpu"))
        _check_same(f"killed after step {whole.killed_at} and resumed", whole.files, catalog.workspace)


def _check_repeated(whole: _Whole, catalog: Catalog, like: Path, chance: random.Random) -> None:
    """From its header, stopped by hand after a step, or before the first one."""
    stop = chance.randrange(whole.steps)
    job = train(whole.again, catalog=catalog, device="cpu", like=like)
    for event in job:
        if (stop == 0 and catalog.last_run("train")) or (isinstance(event, Step) and event.step == stop):
            break
    job.close()  # type: ignore[attr-defined]
    run = catalog.last_run("train")
    assert run
    drain(resume(run.id, catalog=catalog, device="cpu"))
    _check_same(f"repeated from its header, stopped after step {stop} and resumed", whole.files, catalog.workspace)


def _check_toml(recipe: Recipe, place: Path) -> None:
    place.mkdir(parents=True, exist_ok=True)
    write_recipe(recipe, place / "recipe.toml")
    read = read_recipe(place / "recipe.toml")
    assert read == recipe, f"TOML tells another recipe: {_differences(read, recipe)}"


def _undrawn(recipe: Recipe) -> Recipe:
    """Without the folder of pictures of the class that are drawn: it follows from the rest."""
    folder = None if recipe.prior.draw else recipe.dataset.regularisation
    return recipe.model_copy(update={"dataset": recipe.dataset.model_copy(update={"regularisation": folder})})


def _differences(one: Recipe, other: Recipe) -> list[str]:
    left, right = dict(_flat(one.model_dump())), dict(_flat(other.model_dump()))
    names = sorted(left.keys() | right.keys())
    return [f"{name}: {left.get(name)!r}, {right.get(name)!r}" for name in names if left.get(name) != right.get(name)]


def _flat(value: object, name: str = "") -> list[tuple[str, object]]:
    if not isinstance(value, dict):
        return [(name, value)]
    return [pair for key, inner in value.items() for pair in _flat(inner, f"{name}.{key}")]


def _check_steps(recipe: Recipe, plan: TrainingPlan, foreseen: _Foreseen, steps: list[Step]) -> None:
    """As many as was said before; each epoch, but for a last one cut off, has all pictures as often as it shall."""
    assert [one.step for one in steps] == list(range(1, plan.recipe.steps + 1))
    assert foreseen.steps == len(steps), f"{foreseen.steps} steps foreseen, {len(steps)} made"
    material = Material(plan.samples, plan.items, {}, plan.base.family.latent)
    seen: dict[int, Counter[int]] = {}
    for epoch, batches in remaining(material, plan.recipe, 0):
        seen.setdefault(epoch, Counter()).update(index for batch in batches for index in batch)
    last = max(seen) if recipe.steps or not recipe.epochs else recipe.epochs
    for epoch, counts in seen.items():
        wanted = Counter(material.epoch(epoch))
        assert counts == wanted if epoch < last else counts <= wanted, f"epoch {epoch}: {counts}, not {wanted}"


def _check_weights(plan: TrainingPlan, made: Artifact, catalog: Catalog) -> None:
    """All are numbers, and they change the base."""
    for path in catalog.workspace.models.rglob("*.safetensors"):
        broken = [name for name, one in load_file(path).items() if one.is_floating_point() and not one.isfinite().all()]
        assert not broken, f"{path.name}: {broken} is not finite"
    if made.facts.kind == Kind.LORA:
        deltas = _deltas(plan, made.path)
        assert any(one.any() for one in deltas.values()), "it changes nothing"
    if made.facts.kind in (Kind.CHECKPOINT, Kind.UNET) and plan.recipe.export.precision == "fp32":
        base = load_file(catalog.artifact(plan.load.used[0][1]).path)
        learned = load_file(made.path).items()
        assert any(name in base and not torch.equal(one, base[name]) for name, one in learned), "it changes nothing"


def _check_formats(plan: TrainingPlan, folder: Path) -> None:
    """All that was written of a LoRA is the same LoRA."""
    found = [_deltas(plan, path) for path in sorted(folder.glob("*.safetensors"))]
    for other in found[1:]:
        assert found[0].keys() == other.keys(), "its formats have other layers"
        same = [torch.allclose(one, other[target], rtol=2e-3, atol=1e-5) for target, one in found[0].items()]
        assert all(same), "its formats differ"


def _deltas(plan: TrainingPlan, path: Path) -> dict[object, torch.Tensor]:
    """Layer -> what it does to weights of 1."""
    adapter = plan_adapter(path, plan.base.parts, name=path.stem)
    tensors = read_factors(adapter, torch.device("cpu")).tensors
    shapes = {target: plan.base.parts[target.role].modules[target.module] for target in adapter.layers}
    return {
        target: applied(layer, torch.ones(shapes[target]), tensors, 1.0, None) - 1
        for target, layer in adapter.layers.items()
    }


def _check_drawn_with(made: Artifact, recipe: Recipe, catalog: Catalog) -> None:
    usual: dict[str, Any] = {"prompt": f"a ramp, {made.name}", "model": recipe.base, "seed": 1, "steps": 1}
    ways: Mapping[str, dict[str, Any]] = {
        Kind.LORA: {"loras": (LoraUse(ref=str(made.id)),)},
        Kind.HYPERNETWORK: {"prompt": f"a ramp <hypernet:{made.name}:1>"},
        Kind.UNET: {"unet": str(made.id)},
        Kind.CHECKPOINT: {"model": str(made.id)},
    }
    request = GenerationRequest(**{**usual, **ways.get(made.facts.kind or "", {}), "width": 64, "height": 64})
    drain(generate(request, catalog=catalog, engine=Engine("cpu"), out=catalog.workspace.root / "drawn"))


def _files(workspace: Workspace) -> Mapping[str, bytes]:
    """What a training leaves, but for event files, which tell the time, and the recipe, which was compared."""
    found = [path for folder in (workspace.models, workspace.runs) for path in folder.rglob("*") if path.is_file()]
    told = [path for path in found if "tensorboard" not in path.parts and path.name != "recipe.toml"]
    return {str(path.relative_to(workspace.root)): path.read_bytes() for path in told}


def _check_same(what: str, files: Mapping[str, bytes], workspace: Workspace) -> None:
    found = _files(workspace)
    assert files.keys() == found.keys(), f"{what}, it leaves other files: {sorted(files.keys() ^ found.keys())}"
    differing = [name for name in files if files[name] != found[name]]
    assert not differing, f"{what}, it writes others: {differing}"
