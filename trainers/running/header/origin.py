"""How a file came about, in entries of our own: enough to repeat its training, and nothing of where it was."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import PurePath
from typing import Any

from trainers.dataset import Sample
from trainers.methods import Export
from trainers.plan import TrainingPlan
from trainers.recipe import PLACES, Recipe

__all__ = ["DATASET_KEY", "RECIPE_KEY", "origin", "pictures", "told_recipe"]

RECIPE_KEY = "modelhub.recipe"
"""The resolved recipe as JSON, with names in place of paths."""
DATASET_KEY = "modelhub.dataset"
"""JSON: a row a picture, with digests of the picture, its caption and its mask."""


def origin(plan: TrainingPlan, export: Export) -> dict[str, str]:
    """What it is, and all that decided its weights."""
    triggers = [plan.recipe.trigger] if plan.recipe.trigger else []
    return {
        "modelhub.schema": "1",
        "modelhub.kind": export.kind.value,
        "modelhub.family": plan.base.family.name,
        RECIPE_KEY: told_recipe(plan.recipe),
        "modelhub.dataset_sha256": plan.dataset,
        DATASET_KEY: json.dumps(pictures(plan.samples), separators=(",", ":")),
        "modelhub.vae_sha256": (plan.base.vae or plan.base.model).sha256,
        **({"modelhub.trigger_words": json.dumps(triggers, ensure_ascii=False)} if triggers else {}),
    }


def told_recipe(recipe: Recipe) -> str:
    """A recipe as the header holds it: folders by their names, since paths mean nothing where a file goes."""
    payload = recipe.payload()
    dataset = payload["dataset"]
    for table in (dataset, payload["prior"], *dataset["subsets"]):
        table |= {name: PurePath(table[name]).name for name in PLACES if isinstance(table.get(name), str)}
    return json.dumps(payload, ensure_ascii=False, sort_keys=True)


def pictures(samples: Iterable[Sample]) -> list[dict[str, Any]]:
    """A row each, in the dataset's order."""
    return [_picture(sample) for sample in samples]


def _picture(sample: Sample) -> dict[str, Any]:
    row: dict[str, Any] = {
        "sha256": sample.sha256,
        "caption_sha256": hashlib.sha256(sample.caption.encode()).hexdigest(),
        "repeats": sample.repeats,
    }
    return row | ({"mask_sha256": sample.mask.sha256} if sample.mask else {})
