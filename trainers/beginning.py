"""What is found out of a training before it begins, while nothing is loaded (no torch)."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from modelhub.catalog import Catalog
from modelhub.errors import BadValue, Conflict, ModelHubError, NameTaken
from modelhub.refs import check_name
from trainers.dataset.glances import Glances
from trainers.doctor.before import before_training
from trainers.fitting.packages import check_login, lacking
from trainers.plan import TrainingPlan, fitted, plan_training
from trainers.recipe import Recipe
from trainers.running.repeating import check_same_pictures
from trainers.running.results import check_free
from trainers.running.room import shortages

__all__ = ["Beginning", "begin", "check_resumable", "in_the_way", "looked_over"]


@dataclass(frozen=True, slots=True)
class Beginning:
    """A training of which all is known but how it goes."""

    plan: TrainingPlan
    told: tuple[str, ...]
    """What the doctor would have otherwise."""


def begin(recipe: Recipe, *, catalog: Catalog, like: Path | None = None) -> Beginning:
    """Raise whatever can be wrong with a training on this machine: what is told soonest comes first.

    Other pictures or captions than those of the training that is to be repeated (`like` is the file it made) are
    refused, where none of them are still to be drawn.
    """
    _raise_first(_obstacles(recipe, catalog))
    begun = looked_over(recipe, catalog)
    _raise_first(shortages(begun.plan, catalog.workspace))
    check_login(recipe)
    if like and not recipe.prior.draw:
        check_same_pictures(begun.plan, like)
    return begun


def looked_over(recipe: Recipe, catalog: Catalog) -> Beginning:
    """Raise what is wrong with recipe, base or dataset, whatever machine it is."""
    fitted(recipe, catalog)  # before a picture is read
    glances = Glances.of(catalog.workspace)
    told = before_training(recipe, catalog, glances)
    return Beginning(plan_training(recipe, catalog, glances), tuple(told))


def in_the_way(plan: TrainingPlan, catalog: Catalog) -> list[ModelHubError]:
    """What `begin` would raise for it on this machine, and with this catalog."""
    return [*_obstacles(plan.recipe, catalog), *shortages(plan, catalog.workspace)]


def check_resumable(run: int, catalog: Catalog) -> None:
    """Raise `BadValue` for a run that is no training or is finished, `Conflict` while another process is at it."""
    recorded = catalog.run(run)
    if recorded.kind != "train":
        raise BadValue(f"run {run} is no training", mend="modelhub train runs")
    if recorded.state == "done":
        raise BadValue(f"run {run} is finished: it made {', '.join(map(str, recorded.outputs))}", mend="modelhub ls")
    if recorded.state == "running":
        raise Conflict(f"run {run} is still going on in another process", mend=f"stop it first, or wait for run {run}")


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
