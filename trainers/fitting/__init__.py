"""Whether a base can do what a recipe asks of it, judged by headers and texts alone (no torch): one file a group."""

from inference.plan import LoadPlan
from modelhub.catalog import Catalog
from trainers.fitting.drawing import check_drawing
from trainers.fitting.layers import check_layers
from trainers.fitting.objective import check_learnable
from trainers.fitting.packages import check_optimizer
from trainers.fitting.previews import check_previews
from trainers.fitting.start import check_start
from trainers.fitting.words import check_words
from trainers.recipe import Recipe

__all__ = ["check_fit"]


def check_fit(recipe: Recipe, load: LoadPlan, start: LoadPlan | None, catalog: Catalog) -> None:
    """Raise `BadValue` or `Incompatible` for the first thing that cannot be; `start` has the LoRA to go on from."""
    check_optimizer(recipe)
    check_layers(recipe, load.base)
    check_learnable(recipe, load, catalog)
    check_words(recipe)
    check_drawing(recipe, catalog)
    check_previews(recipe, load, catalog)
    if start:
        check_start(recipe, start.base)
