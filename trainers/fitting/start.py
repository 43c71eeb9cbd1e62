"""Whether a LoRA to go on from is what a recipe trains: by its header, and the alphas of its layers (no torch)."""

import math
import struct
from collections.abc import Mapping
from dataclasses import replace

from inference.adapters.layers import Decomposed, Hadamard, Layer, LowRank
from inference.adapters.targets import Target
from inference.plan import AdapterPlan, ModelPlan
from modelhub.headers import TensorTable, read_table, read_tensor
from trainers.methods._lora.endings import differs, endings
from trainers.methods._lora.places import Place, places
from trainers.methods._lora.sizes import factor_shapes
from trainers.methods._rates import rates
from trainers.recipe import LoraOptions, Recipe

__all__ = ["check_start"]

_FLOATS = {"F16": "<e", "F32": "<f", "F64": "<d"}
"""Type of a tensor -> how `struct` reads one number of it; bfloat16 is float32's upper half."""


def check_start(recipe: Recipe, base: ModelPlan) -> None:
    """Raise `Incompatible` naming how the base's adapter is other than what the recipe trains beside it."""
    assert isinstance(recipe.options, LoraOptions)
    (start,) = base.adapters
    alone = replace(base, adapters=())
    ours = {place.target: place for place in places(alone.parts, recipe.options, list(rates(recipe, alone.parts)))}
    _check_same_layers(ours, start)
    table = read_table(start.path)
    for target, place in ours.items():
        _check_layer(place, recipe.options, start, table)
        _check_alpha(place, start.layers[target], start, table)


def _check_same_layers(ours: Mapping[Target, Place], start: AdapterPlan) -> None:
    if missing := [target.module for target in ours if target not in start.layers]:
        raise differs(start, f"it lacks {len(missing)} of the layers that are to be trained, {missing[0]} the first")
    if more := [target.module for target in start.layers if target not in ours]:
        raise differs(start, f"it changes {len(more)} layers that are not to be trained, {more[0]} the first")


def _check_layer(place: Place, options: LoraOptions, start: AdapterPlan, table: TensorTable) -> None:
    theirs, wanted = endings(start.layers[place.target]), factor_shapes(place, options)
    if theirs.keys() != wanted.keys():
        raise differs(start, f"{place.target.module} is of another algorithm")
    for ending, shape in wanted.items():
        there = table.tensors[theirs[ending]].shape
        if math.prod(there) != math.prod(shape):
            sizes = [list(one) for one in (there, shape)]
            raise differs(start, f"{ending} of {place.target.module} is {sizes[0]}, where {sizes[1]} is to be trained")


def _check_alpha(place: Place, layer: Layer, start: AdapterPlan, table: TensorTable) -> None:
    """Of algorithms whose deltas are scaled by alpha / rank in every layer."""
    inner = layer.inner if isinstance(layer, Decomposed) else layer
    if not isinstance(inner, LowRank | Hadamard) or inner.scale.factor:
        return
    told = inner.scale.alpha
    alpha = _number(start, table, told) if isinstance(told, str) else told
    if not math.isclose(alpha or place.rank, place.alpha, rel_tol=1e-3):
        alphas = f"its alpha is {alpha or place.rank:g}, not {place.alpha:g}"
        raise differs(start, f"{place.target.module} is scaled otherwise: {alphas}")


def _number(start: AdapterPlan, table: TensorTable, name: str) -> float:
    packed, dtype = read_tensor(start.path, table, name), table.tensors[name].dtype
    if dtype == "BF16":
        packed, dtype = bytes(2) + packed, "F32"
    return float(struct.unpack(_FLOATS[dtype], packed)[0])
