"""Tensors of several models to one, in float32 (pure)."""

import torch
from torch import Tensor

from inference.merging.recipe import Method

__all__ = ["joined"]

_CHANNELS = 1
"""Dimension along which an inpainting or edit checkpoint's first convolution is wider."""


def joined(method: Method, multiplier: float, a: Tensor, b: Tensor, c: Tensor | None = None) -> Tensor:
    """In the type of `a`; where `a` has more input channels, those that the others know are joined."""
    alike = a.shape == b.shape
    ours = a if alike else a[:, : b.shape[_CHANNELS]]
    if method is Method.WEIGHTED_SUM:
        made = torch.lerp(ours.float(), b.float(), multiplier)
    else:
        made = ours.float() + (b.float() - _difference_base(b, c)) * multiplier
    made = made.to(a.dtype)
    return made if alike else torch.cat([made, a[:, b.shape[_CHANNELS] :]], dim=_CHANNELS)


def _difference_base(b: Tensor, c: Tensor | None) -> Tensor:
    """What C lacks counts as equal to B: no difference."""
    return b.float() if c is None else c.float()
