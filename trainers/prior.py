"""Pictures of a class, drawn with the base before it learns, so that it does not forget the class for its new member.

DreamBooth's prior preservation (Ruiz et al. 2022, https://arxiv.org/abs/2208.12242, section 3.2).
"""

import hashlib
import json
from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import Path

from inference.engine import Engine
from inference.images.png import save
from inference.picture import Picture
from inference.plan import LoadPlan, resolve
from inference.rendering import render
from inference.request import GenerationRequest
from modelhub.catalog import Catalog
from modelhub.jobs import Notice, Progress
from trainers.recipe import Recipe

__all__ = ["with_class_pictures"]

_SCHEMA = 1


def with_class_pictures(
    recipe: Recipe, *, catalog: Catalog, device: str = "auto"
) -> Generator[Progress | Notice, None, Recipe]:
    """The recipe with a folder of as many pictures of the class as it asks for; those that are there stay.

    Each has its number for a seed, so that they are the same for every training on that base.
    """
    if not recipe.prior.draw:
        return recipe
    plan = resolve(_request(recipe), catalog)
    folder = (recipe.prior.images or catalog.workspace.cache / "class" / _key(recipe, plan)).absolute()
    yield from _drawn(recipe, plan, folder, device)
    dataset = recipe.dataset.model_copy(update={"regularisation": folder})
    return recipe.model_copy(update={"dataset": dataset})


def _drawn(recipe: Recipe, plan: LoadPlan, folder: Path, device: str) -> Iterator[Progress | Notice]:
    """Draw those that the folder lacks, one after the other."""
    count = recipe.prior.draw
    missing = [number for number in range(count) if not _place(folder, number).is_file()]
    if not missing:
        return
    folder.mkdir(parents=True, exist_ok=True)
    engine = Engine(device)
    try:
        for done, number in enumerate(missing, start=count - len(missing)):
            yield Progress("class pictures", done, count, "pictures")
            one = replace(plan, request=plan.request.model_copy(update={"seed": number}))
            for event in render(one, engine):
                if isinstance(event, Picture):
                    save(event.image, _place(folder, number), {"parameters": event.infotext})
        yield Progress("class pictures", count, count, "pictures")
    finally:
        engine.release()


def _request(recipe: Recipe) -> GenerationRequest:
    """What draws them, but for the seed; no word of the caption stands for an embedding."""
    wanted = recipe.dataset.resolution
    side = max(wanted) if isinstance(wanted, tuple) else wanted
    return GenerationRequest(
        prompt=recipe.prior.caption, model=recipe.base, vae=recipe.vae, seed=0, width=side, height=side,
        clip_skip=recipe.clip_skip, embeddings=(),
    )  # fmt: skip


def _key(recipe: Recipe, plan: LoadPlan) -> str:
    """All that decides the pictures, and how many there are, since all of a folder are learned from."""
    deciding = {"schema": _SCHEMA, "count": recipe.prior.draw, "request": plan.request.payload()}
    return hashlib.sha256(json.dumps(deciding, sort_keys=True).encode()).hexdigest()


def _place(folder: Path, number: int) -> Path:
    return folder / f"{number:05d}.png"
