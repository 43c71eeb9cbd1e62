"""Models -> tensors of a single-file checkpoint, under the names that every tool reads."""

from typing import Any

import torch
from torch import Tensor, nn

from inference.weights import unet as unet_layout
from inference.weights import vae as vae_layout
from inference.weights.parts import TEXT_ENCODER, TEXT_ENCODER_2
from inference.weights.single_file import TEXT_PREFIXES, UNET_PREFIX, VAE_PREFIXES, rename
from inference.weights.text_encoder import CANONICAL, PROJECTION, canonical, openclip_name, parameters

__all__ = ["checkpoint_tensors"]

_OPENCLIP = {("sd2", TEXT_ENCODER), ("sdxl", TEXT_ENCODER_2), ("sdxl-refiner", TEXT_ENCODER_2)}
"""Whose text encoders stand in the files under OpenCLIP's names."""


def checkpoint_tensors(
    *, unet: Any, vae: Any, text_encoder: nn.Module | None = None, text_encoder_2: nn.Module | None = None,
    family: str = "sd1",
) -> dict[str, Tensor]:  # fmt: skip
    """Tensors of a checkpoint in the latent-diffusion layout; `unet` and `vae` are diffusers' own models."""
    unet_names = _inverse(unet_layout.names(unet_layout.shape_of(unet.config)))
    vae_names = _inverse(vae_layout.names(vae_layout.shape_of(vae.config)))
    tensors = {UNET_PREFIX + rename(name, unet_names): tensor for name, tensor in unet.state_dict().items()}
    for name, tensor in vae.state_dict().items():
        key = VAE_PREFIXES[0] + rename(name, vae_names)
        tensors[key] = _as_convolution(key, tensor)
    for role, encoder in ((TEXT_ENCODER, text_encoder), (TEXT_ENCODER_2, text_encoder_2)):
        if encoder is not None:
            prefix = TEXT_PREFIXES[family][role][0]
            state = {canonical(name).removeprefix(CANONICAL): one for name, one in encoder.state_dict().items()}
            named = _as_openclip(state, unread=family == "sd2") if (family, role) in _OPENCLIP else state
            tensors |= {prefix + name: tensor for name, tensor in named.items()}
    return tensors


def _inverse(names: dict[str, str]) -> dict[str, str]:
    return {module: file for file, module in names.items()}


def _as_convolution(key: str, tensor: Tensor) -> Tensor:
    """The layout keeps the VAE's attention as 1x1 convolutions."""
    is_attention = ".attn_1." in key and tensor.ndim == 2
    return tensor[:, :, None, None] if is_attention else tensor


def _as_openclip(state: dict[str, Tensor], *, unread: bool) -> dict[str, Tensor]:
    """With `unread`, one layer more than is read: its numbers do not matter, but other tools ask for it."""
    layers = sum(name.endswith(".mlp.fc1.weight") for name in state)
    fused: dict[str, list[Tensor]] = {}
    for name in parameters(layers + unread):
        source = name.replace(f"layers.{layers}.", f"layers.{layers - 1}.")
        fused.setdefault(openclip_name(name)[0], []).append(state[source])
    tensors = {name: torch.cat(blocks) if len(blocks) > 1 else blocks[0] for name, blocks in fused.items()}
    if PROJECTION in state:
        tensors["text_projection"] = state[PROJECTION].T.contiguous()
    return tensors
