"""A training again, from the header of what it made (no torch)."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from modelhub.catalog import Catalog
from modelhub.errors import BadValue, Incompatible, UnknownRef
from modelhub.headers import read_table
from trainers.dataset import Sample
from trainers.plan import TrainingPlan
from trainers.recipe import PLACES, current
from trainers.running.header import DATASET_KEY, RECIPE_KEY, pictures

__all__ = ["check_same_pictures", "check_still_same_pictures", "retold"]

_NAMED = 5
"""Pictures in one error."""


def retold(path: Path, catalog: Catalog) -> dict[str, Any]:
    """The entries of the recipe that made a file; with its folders, where this catalog saw it made.

    Raises `BadValue` for a file that tells of no training of ours.
    """
    told = read_table(path).metadata.get(RECIPE_KEY)
    if not told:
        raise BadValue(f"{path.name} does not tell how it was trained", mend="modelhub show FILE; train with --recipe")
    fields = current(json.loads(told), path.name)
    known = _recorded(path, catalog)
    tables = (fields["dataset"], fields.get("prior", {})), (known.get("dataset", {}), known.get("prior", {}))
    for table, place in zip(*tables, strict=True):
        for name in PLACES:
            if name in table:
                table[name] = place.get(name)
    if "subsets" in known.get("dataset", {}):
        fields["dataset"]["subsets"] = known["dataset"]["subsets"]
    if fields.get("prior", {}).get("draw"):
        fields["dataset"].pop("regularisation", None)  # the pictures that were drawn may be gone; they are drawn again
    return fields


def check_same_pictures(plan: TrainingPlan, like: Path) -> None:
    """Raises `Incompatible` naming what differs from the pictures and captions that a file was trained on."""
    told: list[Mapping[str, Any]] = json.loads(read_table(like).metadata.get(DATASET_KEY, "[]"))
    if named := _named(told, plan.samples):
        raise Incompatible(
            f"these are not the pictures that {like.name} was trained on: {named}",
            mend="modelhub train ... --recipe FILE trains on other pictures",
        )


def check_still_same_pictures(told: Sequence[Mapping[str, Any]], plan: TrainingPlan) -> None:
    """Raises `Incompatible` naming what differs from the pictures that a run began with."""
    if told and (named := _named(told, plan.samples)):
        raise Incompatible(
            f"the images or captions were changed since the run began: {named}",
            mend="put them back, or train anew: modelhub train ... --recipe FILE",
        )


def _named(told: Sequence[Mapping[str, Any]], samples: Sequence[Sample]) -> str:
    """What is other in samples than `pictures` told of them once, by the names of their files; empty for nothing."""
    found = list(_differences(told, pictures(samples), [sample.path.name for sample in samples]))
    more = f", and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    return ", ".join(found[:_NAMED]) + more


def _differences(
    told: Sequence[Mapping[str, Any]], found: Sequence[Mapping[str, Any]], names: Sequence[str]
) -> Iterator[str]:
    captions = {row["sha256"]: row for row in told}
    for row, name in zip(found, names, strict=True):
        before = captions.get(row["sha256"])
        if before is None:
            yield f"{name} was not among them, or was edited"
        elif before["caption_sha256"] != row["caption_sha256"]:
            yield f"{name} has another caption"
        elif before.get("mask_sha256") != row.get("mask_sha256"):
            yield f"{name} has another mask"
        elif before["repeats"] != row["repeats"]:
            yield f"{name} is repeated {row['repeats']:g} times, not {before['repeats']:g}"
    missing = Counter(row["sha256"] for row in told) - Counter(row["sha256"] for row in found)
    for digest in missing:
        yield f"the picture of SHA-256 {digest[:12]} is missing"


def _recorded(path: Path, catalog: Catalog) -> Mapping[str, Any]:
    """The recipe as the run that made the file has it."""
    try:
        made_by = catalog.made_by(catalog.resolve(str(path)).id)
    except UnknownRef:
        return {}
    return made_by.payload if made_by else {}
