"""One noise made of two: along the arc between them, or one size's within another's."""

import torch
from torch import Tensor

__all__ = ["in_the_middle", "slerp"]

_PARALLEL = 0.9995
"""Mean cosine above which two noises point the same way."""


def slerp(one: Tensor, other: Tensor, share: float) -> Tensor:
    """From one noise [C, h, w] to another along the arc between them, column by column, as webui goes it.

    Noises of nearly one direction are mixed in a straight line, the shares the other way round: webui's habit.
    """
    cosines = (one / one.norm(dim=1, keepdim=True) * (other / other.norm(dim=1, keepdim=True))).sum(1)
    if cosines.mean() > _PARALLEL:
        return one * share + other * (1 - share)
    angles = torch.acos(cosines)
    first, second = (torch.sin(part * angles) / torch.sin(angles) for part in (1.0 - share, share))
    return first[:, None] * one + second[:, None] * other


def in_the_middle(noise: Tensor, ground: Tensor) -> Tensor:
    """`ground` with the middle of `noise` in its middle; what is larger is cut off on both sides (as in webui)."""
    result = ground.clone()
    (to_rows, from_rows), (to_columns, from_columns) = (
        _overlap(noise.shape[side], ground.shape[side]) for side in (1, 2)
    )
    result[:, to_rows, to_columns] = noise[:, from_rows, from_columns]
    return result


def _overlap(length: int, whole: int) -> tuple[slice, slice]:
    """Where a length lies within another, and which part of it lies there."""
    before = (whole - length) // 2
    if before >= 0:
        return slice(before, before + length), slice(0, length)
    return slice(0, length + 2 * before), slice(-before, length + before)
