"""What a merge will come to, read from headers alone: every model found, and found to fit (no torch)."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path

from inference.merging.recipe import MergeRecipe, Method
from inference.plan import AdapterPlan, resolve
from inference.plan.models import check_readable, check_same_family
from inference.request import GenerationRequest, LoraUse
from inference.weights.parts import VAE, Part
from inference.weights.single_file import checkpoint_parts
from modelhub.catalog import Catalog
from modelhub.errors import BadValue, Incompatible
from modelhub.families import family
from modelhub.headers import TensorEntry, TensorTable, read_table
from modelhub.kinds import Artifact, Kind

__all__ = ["WIDE", "Baked", "MergePlan", "plan_merge"]

WIDE = ("F64", "F32", "BF16")
"""What half precision shortens."""
_KINDS = {Kind.CHECKPOINT, Kind.UNET, Kind.VAE, Kind.TEXT_ENCODER}
_EMA = "model_ema."
_STALE = ("modelspec.hash_sha256", "modelspec.title", "modelspec.date", "sshs_model_hash", "sshs_legacy_hash")
"""What the header of A says of A's own bytes."""
_UNJOINED = "position_ids"
_AS_WEBUI = {
    Method.NONE: "No interpolation",
    Method.WEIGHTED_SUM: "Weighted sum",
    Method.ADD_DIFFERENCE: "Add difference",
}


@dataclass(frozen=True, slots=True)
class Baked:
    """What is put into the checkpoint for good."""

    own: Mapping[str, Part]
    """The checkpoint's parts: which of its tensors is which parameter."""
    vae: Part | None
    adapters: tuple[AdapterPlan, ...]
    loras: tuple[LoraUse, ...]
    """As they are recorded: digests, and numbers for their strengths."""


@dataclass(frozen=True, slots=True)
class MergePlan:
    """A merge that can be carried out."""

    recipe: MergeRecipe
    """Resolved: digests for references."""
    title: str
    a: Path
    b: Path | None
    c: Path | None
    kind: Kind
    tensors: Mapping[str, TensorEntry]
    """Of A, those that are kept."""
    baked: Baked | None
    metadata: Mapping[str, str]
    used: tuple[tuple[str, int], ...]
    """(role, catalog ID) of every model that has a part in it."""

    @property
    def outline(self) -> list[tuple[str, str, tuple[int, ...], int]]:
        """Name, type, shape and size in bytes of every tensor of the result."""
        return [(name, *self._row(entry)) for name, entry in self.tensors.items()]

    @property
    def size(self) -> int:
        """Bytes of the result's tensors."""
        return sum(row[3] for row in self.outline)

    def _row(self, tensor: TensorEntry) -> tuple[str, tuple[int, ...], int]:
        if self.recipe.half and tensor.dtype in WIDE:
            return "F16", tensor.shape, 2 * prod(tensor.shape)
        return tensor.dtype, tensor.shape, tensor.end - tensor.start


def plan_merge(recipe: MergeRecipe, catalog: Catalog) -> MergePlan:
    """Raises `UnknownRef`, `Incompatible` or `BadValue`; hashes a file the first time it is used."""
    models = [_found(ref, catalog) for ref in (recipe.a, recipe.b, recipe.c) if ref]
    a = models[0]
    for other in models[1:]:
        check_same_family(other, a)
    table = read_table(a.path)
    kept = {name: entry for name, entry in table.tensors.items() if _is_kept(name, recipe)}
    if not kept:
        raise BadValue(f"{recipe.discard!r} leaves nothing of {a.name}")
    for other in models[1:]:
        _check_shapes(a, kept, other)
    baked, used = _baked(recipe, a, table, catalog)
    resolved = recipe.model_copy(update=_digests(models, baked, used, catalog))
    return MergePlan(
        recipe=resolved,
        title=recipe.title(*(model.name for model in models)),
        a=a.path,
        b=models[1].path if len(models) > 1 else None,
        c=models[2].path if len(models) > 2 else None,
        kind=a.facts.kind,
        tensors=kept,
        baked=baked,
        metadata=_metadata(table, resolved, models, catalog),
        used=(*zip("abc", (model.id for model in models), strict=False), *used),
    )


def _found(ref: str, catalog: Catalog) -> Artifact:
    model = catalog.resolve(ref, kinds=_KINDS)
    check_readable(model)
    return model


def _is_kept(name: str, recipe: MergeRecipe) -> bool:
    discarded = recipe.discard is not None and re.search(recipe.discard, name)
    return not discarded and not (recipe.drop_ema and name.startswith(_EMA))


def _check_shapes(a: Artifact, kept: Mapping[str, TensorEntry], other: Artifact) -> None:
    """Tensors of one name are of one shape, but for a first convolution that takes more channels in A."""
    theirs = read_table(other.path).tensors
    shared = [name for name in kept if name in theirs and not name.endswith(_UNJOINED)]
    if not shared:
        raise Incompatible(f"{a.name} and {other.name} have no tensor in common", mend=f"modelhub show {other.id}")
    for name in shared:
        ours, its = kept[name].shape, theirs[name].shape
        if ours == its:
            continue
        widened = len(ours) == len(its) == 4 and ours[:1] + ours[2:] == its[:1] + its[2:]
        if not widened:
            raise Incompatible(f"{name} is {_sides(ours)} in {a.name} and {_sides(its)} in {other.name}")
        if ours[1] < its[1]:
            raise Incompatible(
                f"{other.name} takes {its[1]} channels, {a.name} only {ours[1]}: "
                "the inpainting or edit checkpoint must come first",
                mend=f"modelhub merge {other.id} {a.id} ...",
            )


def _baked(
    recipe: MergeRecipe, a: Artifact, table: TensorTable, catalog: Catalog
) -> tuple[Baked | None, tuple[tuple[str, int], ...]]:
    """What is baked in, and the (role, catalog ID) of its models: looked up as for a picture."""
    if not (recipe.vae or recipe.loras):
        return None, ()
    if a.facts.kind is not Kind.CHECKPOINT or a.facts.family is None:
        raise BadValue(
            f"{a.name} is no whole checkpoint: nothing can be baked into it", mend="modelhub ls --kind checkpoint"
        )
    plan = resolve(GenerationRequest(prompt="", model=str(a.id), vae=recipe.vae, loras=recipe.loras, seed=0), catalog)
    own = checkpoint_parts(a.path, table, family(a.facts.family))
    baked = Baked(own, plan.base.parts[VAE] if recipe.vae else None, plan.base.adapters, plan.request.loras)
    return baked, tuple((role, number) for role, number in plan.used if role != "model")


def _digests(
    models: list[Artifact], baked: Baked | None, used: tuple[tuple[str, int], ...], catalog: Catalog
) -> dict[str, object]:
    vae = next((catalog.sha256(catalog.artifact(number)) for role, number in used if role == "vae"), None)
    return {
        **dict(zip("abc", map(catalog.sha256, models), strict=False)),
        "vae": vae,
        "loras": baked.loras if baked else (),
    }


def _metadata(
    table: TensorTable, recipe: MergeRecipe, models: list[Artifact], catalog: Catalog
) -> dict[str, str]:  # fmt: skip
    """A's, and what webui writes of a merge."""
    digests = [catalog.sha256(model) for model in models]
    hashes = dict(zip(("primary", "secondary", "tertiary"), (one[:10] for one in digests), strict=False))
    said = {
        "type": "modelhub",
        **{f"{which}_model_hash": hashes.get(which) for which in ("primary", "secondary", "tertiary")},
        "interp_method": _AS_WEBUI[recipe.method],
        "multiplier": recipe.multiplier,
        "save_as_half": recipe.half,
        "bake_in_vae": recipe.vae,
        "discard_weights": recipe.discard,
        "loras": [use.model_dump() for use in recipe.loras],
    }
    merged = {digest: {"name": model.name} for digest, model in zip(digests, models, strict=True)}
    return {
        "format": "pt",
        **{key: text for key, text in table.metadata.items() if key not in _STALE},
        "sd_merge_recipe": json.dumps(said, ensure_ascii=False),
        "sd_merge_models": json.dumps(merged, ensure_ascii=False),
    }


def _sides(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "one number"
