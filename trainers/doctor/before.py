"""The doctor's visit before a training: for that the base is looked up."""

from collections.abc import Generator

from inference.plan import resolve
from inference.request import GenerationRequest
from modelhub.catalog import Catalog
from modelhub.jobs import Progress
from trainers.dataset.glances import Glances
from trainers.doctor.examine import examined
from trainers.doctor.refusal import notices, orders_of, refuse
from trainers.recipe import Recipe

__all__ = ["before_training", "native_side"]


def before_training(recipe: Recipe, catalog: Catalog, glances: Glances) -> Generator[Progress, None, list[str]]:
    """Look at a recipe's dataset: refuse what cannot work, and say what would come out better otherwise."""
    orders = orders_of(recipe, native_side(recipe.base, catalog))
    report = yield from examined(recipe.dataset, orders, glances=glances)
    refuse(report)
    return notices(report)


def native_side(base: str, catalog: Catalog) -> int:
    """The side of the pictures that a checkpoint was made for, in pixels."""
    return resolve(GenerationRequest(prompt="", model=base, seed=0), catalog).size[0]
