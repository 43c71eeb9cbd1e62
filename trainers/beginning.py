"""What is found out of a training before it begins, while nothing is loaded (no torch)."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

from modelhub.catalog import Catalog
from modelhub.errors import BadValue, Conflict, ModelHubError, NameTaken
from modelhub.jobs import Done, Job, Progress
from modelhub.refs import check_name
from trainers.dataset.glances import Glances
from trainers.doctor.before import before_training
from trainers.fitting.idle import idle
from trainers.fitting.packages import check_login, lacking
from trainers.plan import TrainingPlan, fitted, plan_training
from trainers.recipe import Recipe
from trainers.running.repeating import check_same_pictures, check_still_same_pictures
from trainers.running.results import check_free
from trainers.running.room import shortages
from trainers.running.runs import RunFolder
from trainers.running.unchanged import check_unchanged

__all__ = [
    "Beginning",
    "begin",
    "begun",
    "check_judgeable",
    "check_resumable",
    "going_on",
    "in_the_way",
    "look_over",
    "looked_over",
]


@dataclass(frozen=True, slots=True)
class Beginning:
    """A training of which all is known but how it goes."""

    plan: TrainingPlan
    told: tuple[str, ...]
    """What the doctor would have otherwise, and what the recipe says to no effect."""


def begin(recipe: Recipe, *, catalog: Catalog, like: Path | None = None) -> Job[Beginning]:
    """What `begun` finds, as a job."""
    yield Done((yield from begun(recipe, catalog=catalog, like=like)))


def begun(
    recipe: Recipe, *, catalog: Catalog, like: Path | None = None
) -> Generator[Progress, None, Beginning]:  # fmt: skip
    """Raise whatever can be wrong with a training on this machine: what is told soonest comes first.

    Other pictures or captions than those of the training that is to be repeated (`like` is the file it made) are
    refused, where none of them are still to be drawn.
    """
    _raise_first(_obstacles(recipe, catalog))
    found = yield from looked_over(recipe, catalog)
    _raise_first(shortages(found.plan, catalog.workspace))
    check_login(recipe)
    if like and not recipe.prior.draw:
        check_same_pictures(found.plan, like)
    return found


def look_over(recipe: Recipe, catalog: Catalog) -> Job[Beginning]:
    """What `looked_over` finds, as a job."""
    yield Done((yield from looked_over(recipe, catalog)))


def looked_over(recipe: Recipe, catalog: Catalog) -> Generator[Progress, None, Beginning]:
    """Raise what is wrong with recipe, base or dataset, whatever machine it is."""
    fitted(recipe, catalog)  # before a picture is read
    glances = Glances.of(catalog.workspace)
    told = yield from before_training(recipe, catalog, glances)
    plan = plan_training(recipe, catalog, glances)
    return Beginning(plan, (*told, *idle(recipe, plan.samples)))


def in_the_way(plan: TrainingPlan, catalog: Catalog) -> list[ModelHubError]:
    """What `begin` would raise for it on this machine, and with this catalog."""
    return [*_obstacles(plan.recipe, catalog), *shortages(plan, catalog.workspace)]


def check_resumable(run: int, catalog: Catalog) -> RunFolder:
    """Its folder; raises `BadValue` for a run that is no training or is finished, `Conflict` while another has it."""
    recorded = catalog.run(run)
    if recorded.kind != "train":
        raise BadValue(f"run {run} is no training", mend="modelhub train runs")
    if recorded.state == "done":
        raise BadValue(f"run {run} is finished: it made {', '.join(map(str, recorded.outputs))}", mend="modelhub ls")
    if recorded.state == "running":
        raise Conflict(f"run {run} is still going on in another process", mend=f"stop it first, or wait for run {run}")
    return RunFolder.of(catalog.workspace, run, str(recorded.payload["name"]))


def check_judgeable(run: int, catalog: Catalog) -> RunFolder:
    """Its folder; raises `BadValue` for a run that is no training or has made nothing that could be judged."""
    recorded = catalog.run(run)
    if recorded.kind != "train":
        raise BadValue(f"run {run} is no training", mend="modelhub train runs")
    name = str(recorded.payload["name"])
    folder = RunFolder.of(catalog.workspace, run, name)
    if not (recorded.outputs or folder.copies(name)):
        raise BadValue(f"run {run} has made no copy yet", mend=f"modelhub train resume {run}")
    return folder


def going_on(folder: RunFolder, recipe: Recipe, catalog: Catalog) -> TrainingPlan:
    """What an interrupted run's recipe comes to; raises `Incompatible` where models or pictures were changed since."""
    plan = plan_training(recipe, catalog)
    check_unchanged(plan.load, catalog)
    check_still_same_pictures(folder.read_pictures(), plan)
    return plan


def _obstacles(recipe: Recipe, catalog: Catalog) -> Iterator[ModelHubError]:
    """A name that is taken, and packages that are not installed; raises `BadValue` for what is no name."""
    check_name(recipe.name)
    try:
        check_free(recipe, catalog)
    except NameTaken as taken:
        yield taken
    yield from lacking(recipe)


def _raise_first(errors: Iterator[ModelHubError]) -> None:
    for error in errors:
        raise error
