"""What one layer of an adapter is, an algorithm each: which tensors of the file it rests on (pure, no torch).

Every text in a layer is the name of a tensor of the file. `W` below is the weight that it changes, [out, in, ...].
"""

from dataclasses import dataclass, fields
from math import prod
from typing import TypeAlias

from modelhub.headers import TensorTable

__all__ = [
    "Additive",
    "Decomposed",
    "General",
    "Hadamard",
    "Kronecker",
    "Layer",
    "LowRank",
    "Orthogonal",
    "Replaced",
    "Rescaled",
    "Scale",
    "Shape",
    "Size",
    "Whole",
    "size_of",
    "tensors_of",
]

Shape: TypeAlias = tuple[int, ...]
Size: TypeAlias = tuple[int | None, int | None]
"""Rows and columns, kernels counted among the columns; None for what the tensors do not tell."""


@dataclass(frozen=True, slots=True)
class Scale:
    """What a delta is multiplied by: `factor`, or else alpha / rank; 1 where the file says neither."""

    rank: int | None = None
    alpha: str | float | None = None
    """A tensor of the file or a number from its header; 0, as LyCORIS writes it, stands for the rank."""
    factor: str | None = None


@dataclass(frozen=True, slots=True)
class LowRank:
    """LoRA and LoCon: dW = up @ down (Hu et al. 2021, arXiv 2106.09685); with `mid` Tucker's core of the kernel."""

    down: str
    up: str
    scale: Scale
    mid: str | None = None


@dataclass(frozen=True, slots=True)
class Hadamard:
    """LoHa: dW = (w1_a @ w1_b) * (w2_a @ w2_b) (FedPara, arXiv 2108.06098); with Tucker cores `t1` and `t2`."""

    w1_a: str
    w1_b: str
    w2_a: str
    w2_b: str
    scale: Scale
    t1: str | None = None
    t2: str | None = None


@dataclass(frozen=True, slots=True)
class Kronecker:
    """LoKr: dW = kron(w1, w2), each factor whole or a product of its own (LyCORIS, arXiv 2309.14859)."""

    w1: str | None
    w1_a: str | None
    w1_b: str | None
    w2: str | None
    w2_a: str | None
    w2_b: str | None
    t2: str | None
    scale: Scale


@dataclass(frozen=True, slots=True)
class General:
    """GLoRA: dW = W @ a + b, both of low rank (arXiv 2306.07967)."""

    a1: str
    a2: str
    b1: str
    b2: str
    bm: str | None
    scale: Scale
    old: bool
    """Whether the factors are named the other way round, as LyCORIS did at first."""


@dataclass(frozen=True, slots=True)
class Orthogonal:
    """OFT and BOFT: W turned block by block, by the Cayley transform of `blocks` (arXiv 2306.07280, 2311.06243)."""

    blocks: str
    """[n, b, b], or [stages, n, b, b], each stage a butterfly of the one before."""
    turned: bool
    """Whether the blocks are the rotation already, as LyCORIS stored it at first."""
    constraint: str | None
    """The file's alpha: the most that the norm of a rotation's generator may be, over the number of rows."""
    rescale: str | None


@dataclass(frozen=True, slots=True)
class Rescaled:
    """(IA)3: W times a factor a row or a column (arXiv 2205.05638)."""

    weight: str
    on_input: str
    """Not 0 where it is a column's."""


@dataclass(frozen=True, slots=True)
class Whole:
    """The difference itself, of a weight, a norm or a bias."""

    diff: str


@dataclass(frozen=True, slots=True)
class Replaced:
    """What stands in place of the weight."""

    weight: str


Additive: TypeAlias = LowRank | Hadamard | Kronecker | Whole
"""Their change does not depend on the weight."""


@dataclass(frozen=True, slots=True)
class Decomposed:
    """DoRA: the changed weight with a norm that was learned apart from its direction (arXiv 2402.09353)."""

    inner: Additive
    magnitude: str
    """[out, 1, ...] or [1, in, ...]."""
    by_row: bool


Layer: TypeAlias = Additive | Decomposed | General | Orthogonal | Rescaled | Replaced


def tensors_of(layer: Layer | Scale) -> list[str]:
    """The tensors of the file that merging the layer reads."""
    found: list[str] = []
    for field in fields(layer):
        value = getattr(layer, field.name)
        if isinstance(value, str):
            found.append(value)
        elif value is not None and not isinstance(value, bool | int | float):
            found += tensors_of(value)
    return found


def size_of(layer: Layer, table: TensorTable, weight: Shape) -> Size | None:
    """Of the weight that the layer is made for; None where its tensors do not fit one another.

    `weight` is the base's, by which a row of factors is told from a column.
    """

    def shape(name: str) -> Shape:
        return table.tensors[name].shape

    match layer:
        case Decomposed(inner=inner):
            return size_of(inner, table, weight)
        case LowRank(down, up, _, None):
            return _product(shape(up), shape(down))
        case LowRank(down, up, _, str(mid)):
            return _tucker(shape(mid), shape(up)[0], shape(down)[1])
        case Hadamard(w1_a, w1_b, w2_a, w2_b, _, None, None):
            return _both(_product(shape(w1_a), shape(w1_b)), _product(shape(w2_a), shape(w2_b)))
        case Hadamard(w1_a, w1_b, w2_a, w2_b, _, str(t1), str(t2)):
            first = _tucker(shape(t1), shape(w1_a)[-1], shape(w1_b)[-1])
            return _both(first, _tucker(shape(t2), shape(w2_a)[-1], shape(w2_b)[-1]))
        case Kronecker():
            return _kronecker(layer, table)
        case General():
            return _general(layer, table)
        case Orthogonal(blocks):
            return (prod(shape(blocks)[-3:-1]), None)
        case Rescaled(factors):
            length = prod(shape(factors))
            return (length, None) if length == weight[0] else (None, length * prod(weight[2:]))
        case Whole(diff):
            return (shape(diff)[:1] or (1,))[0], prod(shape(diff)[1:])
        case Replaced(name):
            return (shape(name)[:1] or (1,))[0], prod(shape(name)[1:])
    return None


def _product(left: Shape, right: Shape) -> Size | None:
    """Of ``left @ right``, kernels flattened."""
    return (left[0], prod(right[1:])) if prod(left[1:]) == right[0] else None


def _tucker(core: Shape, rows: int, columns: int) -> Size:
    return rows, columns * prod(core[2:])


def _both(one: Size | None, other: Size | None) -> Size | None:
    return one if one == other else None


def _kronecker(layer: Kronecker, table: TensorTable) -> Size | None:
    first = _factor(table, layer.w1, layer.w1_a, layer.w1_b, None)
    second = _factor(table, layer.w2, layer.w2_a, layer.w2_b, layer.t2)
    if first is None or second is None:
        return None
    (rows, columns), (more_rows, more_columns) = first, second
    return (rows or 1) * (more_rows or 1), (columns or 1) * (more_columns or 1)


def _factor(table: TensorTable, whole: str | None, a: str | None, b: str | None, core: str | None) -> Size | None:
    if whole:
        shape = table.tensors[whole].shape
        return shape[0], prod(shape[1:])
    if not a or not b:
        return None
    left, right = table.tensors[a].shape, table.tensors[b].shape
    return _tucker(table.tensors[core].shape, left[-1], right[-1]) if core else _product(left, right)


def _general(layer: General, table: TensorTable) -> Size | None:
    names = (layer.a2, layer.a1, layer.b2, layer.b1) if layer.old else (layer.a1, layer.a2, layer.b1, layer.b2)
    a_up, a_down, b_up, b_down = (table.tensors[name].shape for name in names)
    if layer.bm:
        return _tucker(table.tensors[layer.bm].shape, b_up[0], b_down[1])
    square = _product(a_up, a_down)
    return _product(b_up, b_down) if square and square[0] == square[1] else None
