"""How large the factors beside a layer are, an algorithm each (pure, no torch)."""

import math
from collections.abc import Callable, Mapping
from typing import TypeAlias

from trainers.methods._lora.places import Place
from trainers.recipe import LoraOptions

__all__ = ["MAGNITUDE", "factor_shapes", "side_of_blocks", "split"]

Shape: TypeAlias = tuple[int, ...]
Shapes: TypeAlias = dict[str, Shape]

MAGNITUDE = "dora_scale"
"""Ending of DoRA's norms, which files keep in float32: they multiply the whole weight, so rounding them would outweigh
what was learned."""


def factor_shapes(place: Place, options: LoraOptions) -> Shapes:
    """Endings of names in files -> what stands there of one layer, alpha left out: all of it learns."""
    found = _SHAPES[options.algorithm](place, options)
    norms = {MAGNITUDE: (place.shape[0], *[1] * len(place.shape[1:]))} if options.dora else {}
    return {**found, **norms}


def split(size: int, factor: int) -> tuple[int, int]:
    """Two factors of a size, the smaller one first and at most `factor`, or as near to the other as there is at -1."""
    most = math.isqrt(size) if factor < 1 else min(factor, math.isqrt(size))
    small = next(one for one in range(most, 0, -1) if size % one == 0)
    return small, size // small


def side_of_blocks(rows: int, most: int) -> int:
    """Of the blocks that share so many rows evenly, the greatest that is no greater than `most`."""
    return next(one for one in range(min(most, rows), 0, -1) if rows % one == 0)


def _low_rank(place: Place, options: LoraOptions) -> Shapes:
    rows, *inputs = place.shape
    return {
        "lora_down.weight": (place.rank, *inputs),
        "lora_up.weight": (rows, place.rank, *[1] * len(inputs[1:])),
    }


def _hadamard(place: Place, options: LoraOptions) -> Shapes:
    left, right = (place.shape[0], place.rank), (place.rank, math.prod(place.shape[1:]))
    return {f"hada_{name}": left if name.endswith("a") else right for name in ("w1_a", "w1_b", "w2_a", "w2_b")}


def _kronecker(place: Place, options: LoraOptions) -> Shapes:
    rows, columns = split(place.shape[0], options.factor), split(place.shape[1], options.factor)
    kernel = place.shape[2:]
    small = {"lokr_w1": (rows[0], columns[0])}
    if 2 * place.rank >= max(rows[1], columns[1]):  # as large as the product of low rank, or smaller
        return {**small, "lokr_w2": (rows[1], columns[1], *kernel)}
    return {**small, "lokr_w2_a": (rows[1], place.rank), "lokr_w2_b": (place.rank, columns[1] * math.prod(kernel))}


def _orthogonal(place: Place, options: LoraOptions) -> Shapes:
    side = side_of_blocks(place.shape[0], place.rank)
    return {"oft_blocks": (place.shape[0] // side, side, side)}


_SHAPES: Mapping[str, Callable[[Place, LoraOptions], Shapes]] = {
    "lora": _low_rank, "loha": _hadamard, "lokr": _kronecker, "oft": _orthogonal,
}  # fmt: skip
