"""Latents to pixels in as much memory as there is."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

__all__ = ["decoded"]


def decoded(vae: Any, latents: Tensor) -> Tensor:
    """[B, C, h, w], as the VAE was trained on them -> [B, 3, H, W], about -1..1.

    All at once; where the memory is too small for that one by one, which is as exact; last in tiles, whose borders
    are blended. Raises `torch.OutOfMemoryError` where not even that is possible.
    """
    for way in (_at_once, _one_by_one):
        if (pixels := _tried(way, vae, latents)) is not None:
            return pixels
    return _in_tiles(vae, latents)


def _tried(way: Callable[[Any, Tensor], Tensor], vae: Any, latents: Tensor) -> Tensor | None:
    """None where the memory is full; what was begun is let go of then."""
    try:
        return way(vae, latents)
    except torch.OutOfMemoryError:
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        return None


def _at_once(vae: Any, latents: Tensor) -> Tensor:
    pixels: Tensor = vae.decode(latents, return_dict=False)[0]
    return pixels


def _one_by_one(vae: Any, latents: Tensor) -> Tensor:
    return torch.cat([_at_once(vae, one) for one in latents[:, None]])


def _in_tiles(vae: Any, latents: Tensor) -> Tensor:
    vae.enable_tiling()
    try:
        return _one_by_one(vae, latents)
    finally:
        vae.disable_tiling()
