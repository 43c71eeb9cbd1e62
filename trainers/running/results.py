"""Where the files of a training go, and how they come into the catalog."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from modelhub.catalog import Catalog
from modelhub.errors import NameTaken, UnknownRef
from modelhub.headers import read_table
from modelhub.kinds import Artifact, Kind
from trainers.recipe import FullOptions, Recipe
from trainers.running.header import RECIPE_KEY, told_recipe

if TYPE_CHECKING:
    from trainers.running.exporting import Written

__all__ = ["catalogued", "check_free", "clear_leftover", "kind_of", "renamed"]

_KINDS = {
    "lora": Kind.LORA,
    "textual_inversion": Kind.EMBEDDING,
    "full": Kind.CHECKPOINT,
    "hypernetwork": Kind.HYPERNETWORK,
}
"""Method -> what it makes."""


def kind_of(recipe: Recipe) -> Kind:
    """What the result will be, where a recipe makes several the one that bears its name."""
    options = recipe.options
    return Kind.UNET if isinstance(options, FullOptions) and options.keeps == "unet" else _KINDS[recipe.method]


def check_free(recipe: Recipe, catalog: Catalog) -> None:
    """Raises `NameTaken` where the result could not be called as the recipe says."""
    catalog.free_place(recipe.name, kind_of(recipe))


def renamed(recipe: Recipe, catalog: Catalog) -> Recipe:
    """Called as it is, or with the first number behind its name that is free."""
    names = (recipe.name if number == 1 else f"{recipe.name}-{number}" for number in count(1))
    return recipe.model_copy(update={"name": next(name for name in names if _is_free(name, recipe, catalog))})


def clear_leftover(recipe: Recipe, catalog: Catalog) -> None:
    """Remove the files of this very recipe that a killed process wrote and had no time to catalogue."""
    for path in catalog.workspace.models.glob(f"*/{recipe.name}*.*"):
        if _is_of(recipe, path) and not _is_held(path, catalog):
            path.unlink()


def catalogued(written: Sequence["Written"], recipe: Recipe, catalog: Catalog) -> list[Artifact]:
    """The results in the catalog, the one that bears the recipe's name first.

    What cannot be catalogued is not left where its name would bar a second try.
    """
    try:
        return [catalog.add(path, name=name) for path, name in _named(written, recipe)]
    except BaseException:
        for one in written:
            one.path.unlink(missing_ok=True)
        raise


def _is_free(name: str, recipe: Recipe, catalog: Catalog) -> bool:
    try:
        catalog.free_place(name, kind_of(recipe))
    except NameTaken:
        return False
    return True


def _named(written: Sequence["Written"], recipe: Recipe) -> Iterator[tuple[Path, str | None]]:
    """Another model of the same training is called by its file, or nearly so where that is taken."""
    firsts = [one for one in written if one.is_first]
    for one in sorted(firsts, key=lambda each: each.kind is not kind_of(recipe)):
        yield one.path, recipe.name if one.kind is kind_of(recipe) else None


def _is_of(recipe: Recipe, path: Path) -> bool:
    if path.suffix != ".safetensors":
        first = path.with_name(f"{recipe.name}.safetensors")
        return path.suffix == ".pt" and first.is_file() and _is_of(recipe, first)
    return read_table(path).metadata.get(RECIPE_KEY) == told_recipe(recipe)


def _is_held(path: Path, catalog: Catalog) -> bool:
    with suppress(UnknownRef):
        catalog.resolve(str(path))
        return True
    return False
