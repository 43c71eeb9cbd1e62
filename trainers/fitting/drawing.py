"""Whether pictures of the class that are to be drawn have a folder of their own (no torch)."""

from modelhub.catalog import Catalog
from modelhub.errors import BadValue
from trainers.recipe import Recipe

__all__ = ["check_drawing"]


def check_drawing(recipe: Recipe, catalog: Catalog) -> None:
    """Raise `BadValue` where a recipe that has pictures drawn names a folder of others too.

    The one that they are drawn into stands in a recipe that was resolved once.
    """
    named, own = recipe.dataset.regularisation, recipe.prior.images or catalog.workspace.cache / "class"
    if recipe.prior.draw and named and own.absolute() not in (named.absolute(), *named.absolute().parents):
        raise BadValue(
            f"class pictures lie in {named}, and {recipe.prior.draw} more are to be drawn",
            mend="leave out prior.draw, or dataset.regularisation",
        )
