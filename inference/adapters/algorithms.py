"""What each algorithm makes of a weight: the published formulas, on float32 tensors."""

from collections.abc import Mapping

import torch
from torch import Tensor

from inference.adapters.layers import (
    Additive,
    Decomposed,
    General,
    Hadamard,
    Kronecker,
    Layer,
    LowRank,
    Orthogonal,
    Replaced,
    Rescaled,
    Scale,
    Whole,
)

__all__ = ["applied", "delta_of"]

_Tensors = Mapping[str, Tensor]


def applied(layer: Layer, weight: Tensor, tensors: _Tensors, strength: float, rank: int | None = None) -> Tensor:
    """The weight with the layer at `strength`: 0 leaves it, 1 is what was trained.

    `weight` is float32, contiguous and ours to write to; `tensors` are float32, on its device. Of LoRA's ranks only
    the first `rank` take part.
    """
    match layer:
        case LowRank(mid=None):
            return _with_low_rank(layer, weight, tensors, strength, rank)
        case Decomposed():
            return weight.lerp_(_decomposed(layer, weight, tensors, rank), strength)
        case General():
            return weight.add_(_general(layer, weight, tensors), alpha=strength)
        case Orthogonal():
            return _turned(layer, weight, tensors, strength)
        case Rescaled(factors, on_input):
            at = 1 if tensors[on_input].item() else 0
            return weight.addcmul_(weight.clone(), _along(tensors[factors], weight, at), value=strength)
        case Replaced(name):
            return weight.lerp_(tensors[name].reshape(weight.shape), strength)
        case _:
            return weight.add_(_padded(delta_of(layer, tensors), weight), alpha=strength)


def delta_of(layer: Additive, tensors: _Tensors, rank: int | None = None) -> Tensor:
    """What a layer adds to its weight at strength 1; rows, then columns and kernel in any shape."""
    match layer:
        case LowRank():
            up, down = _factors(layer, tensors, rank)
            found = up @ down if layer.mid is None else _tucker(tensors[layer.mid], up.T, down)
            return found * _scale(layer.scale, tensors)
        case Hadamard(w1_a, w1_b, w2_a, w2_b, scale, t1, t2):
            first = _pair(tensors[w1_a], tensors[w1_b], tensors[t1] if t1 else None)
            return first * _pair(tensors[w2_a], tensors[w2_b], tensors[t2] if t2 else None) * _scale(scale, tensors)
        case Kronecker():
            first = _factor(tensors, layer.w1, layer.w1_a, layer.w1_b, None)
            second = _factor(tensors, layer.w2, layer.w2_a, layer.w2_b, layer.t2)
            return torch.kron(first.contiguous(), second.flatten(1)) * _scale(layer.scale, tensors)
        case Whole(diff):
            return tensors[diff]


def _with_low_rank(layer: LowRank, weight: Tensor, tensors: _Tensors, strength: float, rank: int | None) -> Tensor:
    """In one pass over the weight, which is nearly all of a merge's time."""
    up, down = _factors(layer, tensors, rank)
    if down.shape[1] * len(up) != weight.numel():
        return weight.add_(_padded(delta_of(layer, tensors, rank), weight), alpha=strength)
    weight.view(len(up), -1).addmm_(up, down, alpha=strength * _scale(layer.scale, tensors))
    return weight


def _factors(layer: LowRank, tensors: _Tensors, rank: int | None) -> tuple[Tensor, Tensor]:
    return tensors[layer.up].flatten(1)[:, :rank], tensors[layer.down].flatten(1)[:rank]


def _pair(a: Tensor, b: Tensor, core: Tensor | None) -> Tensor:
    return a.flatten(1) @ b.flatten(1) if core is None else _tucker(core, a, b).flatten(1)


def _factor(tensors: _Tensors, whole: str | None, a: str | None, b: str | None, core: str | None) -> Tensor:
    if whole:
        return tensors[whole]
    assert a is not None
    assert b is not None
    return _pair(tensors[a], tensors[b], tensors[core] if core else None)


def _tucker(core: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """A kernel from its core [r, r, ...]: `rows` [r, out] and `columns` [r, in] widen its two sides."""
    kernel: Tensor = torch.einsum("ij...,io,jc->oc...", core, rows, columns)
    return kernel


def _decomposed(layer: Decomposed, weight: Tensor, tensors: _Tensors, rank: int | None) -> Tensor:
    """W' = m * V / |V| with V = W + dW: eq. 5 of the paper, the norm along what one magnitude is for."""
    changed = applied(layer.inner, weight.clone(), tensors, 1.0, rank)
    kept = 0 if layer.by_row else 1
    norm: Tensor = torch.linalg.vector_norm(changed, dim=[at for at in range(weight.ndim) if at != kept], keepdim=True)
    return changed * (_along(tensors[layer.magnitude], weight, kept) / (norm + torch.finfo(norm.dtype).eps))


def _general(layer: General, weight: Tensor, tensors: _Tensors) -> Tensor:
    names = (layer.a2, layer.a1, layer.b2, layer.b1) if layer.old else (layer.a1, layer.a2, layer.b1, layer.b2)
    a_up, a_down, b_up, b_down = (tensors[name].flatten(1) for name in names)
    through: Tensor = torch.einsum("oi...,ij,jk->ok...", weight, a_up, a_down)
    core = tensors[layer.bm] if layer.bm else None
    added = b_up @ b_down if core is None else _tucker(core, b_up.T, b_down)
    return (through + added.reshape(weight.shape)) * _scale(layer.scale, tensors)


def _turned(layer: Orthogonal, weight: Tensor, tensors: _Tensors, strength: float) -> Tensor:
    """OFT goes straight from W to its turned self; each butterfly of BOFT does so alone, as all peers have it."""
    blocks = tensors[layer.blocks]
    rotations = blocks if layer.turned else _cayley(blocks, _most(layer, tensors, len(weight)))
    if blocks.ndim == 3:
        return weight.lerp_(_rescaled(layer, _rotated(weight, rotations.mT), tensors, 1.0), strength)
    half = blocks.shape[-1] // 2
    for stage, rotation in enumerate(torch.eye(2 * half, device=blocks.device).lerp(rotations, strength)):
        weight = _butterfly(weight, rotation, 2**stage * half)
    return _rescaled(layer, weight, tensors, strength)


def _rotated(weight: Tensor, rotations: Tensor) -> Tensor:
    """Each block of rows, turned by its own matrix: [n, b, b] on [n * b, ...]."""
    return (rotations @ weight.reshape(*rotations.shape[:2], -1)).reshape(weight.shape)


def _butterfly(weight: Tensor, rotation: Tensor, half: int) -> Tensor:
    """Rows that lie `half` apart come to stand beside one another, are turned, and go back."""
    mixed = weight.reshape(-1, 2, half, *weight.shape[1:]).transpose(1, 2).reshape(weight.shape)
    turned = _rotated(mixed, rotation).reshape(-1, half, 2, *weight.shape[1:])
    return turned.transpose(1, 2).reshape(weight.shape)


def _cayley(blocks: Tensor, most: float) -> Tensor:
    """R = (I + Q)(I - Q)^-1 with Q = B - B^T, whose norm is kept below `most`."""
    generator = blocks - blocks.mT
    norm = torch.linalg.vector_norm(generator).item() + 1e-8
    if 0 < most < norm:
        generator = generator * (most / norm)
    identity = torch.eye(blocks.shape[-1], device=blocks.device)
    rotation: Tensor = torch.linalg.solve(identity - generator, identity + generator, left=False)
    return rotation


def _most(layer: Orthogonal, tensors: _Tensors, rows: int) -> float:
    return tensors[layer.constraint].item() * rows if layer.constraint else 0.0


def _rescaled(layer: Orthogonal, weight: Tensor, tensors: _Tensors, strength: float) -> Tensor:
    if layer.rescale is None:
        return weight
    return weight * (1 + strength * (_along(tensors[layer.rescale], weight, 0) - 1))


def _along(values: Tensor, weight: Tensor, at: int) -> Tensor:
    """One a row (`at` 0) or a column (1), so that they multiply the weight."""
    shape = [1] * weight.ndim
    shape[at] = weight.shape[at]
    return values.reshape(shape)


def _padded(delta: Tensor, weight: Tensor) -> Tensor:
    """In the weight's shape, with zeros for the channels that its model has beyond those of the adapter's."""
    if delta.numel() == weight.numel():
        return delta.reshape(weight.shape)
    known = delta.reshape(len(weight), -1, *weight.shape[2:])
    return torch.cat([known, torch.zeros_like(weight[:, known.shape[1] :])], dim=1)


def _scale(scale: Scale, tensors: _Tensors) -> float:
    if scale.factor:
        return tensors[scale.factor].item()
    alpha = tensors[scale.alpha].item() if isinstance(scale.alpha, str) else scale.alpha
    return float(alpha) / scale.rank if alpha and scale.rank else 1.0
