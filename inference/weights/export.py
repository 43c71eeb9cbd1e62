"""Models -> tensors of a single-file checkpoint, under the names that every tool reads."""

from typing import Any

from torch import Tensor, nn

from inference.weights import unet as unet_layout
from inference.weights import vae as vae_layout
from inference.weights.single_file import TEXT_PREFIXES, UNET_PREFIX, VAE_PREFIXES, rename
from inference.weights.text_encoder import CANONICAL

__all__ = ["checkpoint_tensors"]


def checkpoint_tensors(*, unet: Any, vae: Any, text_encoder: nn.Module) -> dict[str, Tensor]:
    """Tensors of an SD 1 checkpoint in the latent-diffusion layout; `unet` and `vae` are diffusers' own models."""
    unet_names = _inverse(unet_layout.names(unet_layout.shape_of(unet.config)))
    vae_names = _inverse(vae_layout.names(vae_layout.shape_of(vae.config)))
    tensors = {UNET_PREFIX + rename(name, unet_names): tensor for name, tensor in unet.state_dict().items()}
    for name, tensor in vae.state_dict().items():
        key = VAE_PREFIXES[0] + rename(name, vae_names)
        tensors[key] = _as_convolution(key, tensor)
    for name, tensor in text_encoder.state_dict().items():
        tensors[TEXT_PREFIXES[0] + name.removeprefix(CANONICAL)] = tensor
    return tensors


def _inverse(names: dict[str, str]) -> dict[str, str]:
    return {module: file for file, module in names.items()}


def _as_convolution(key: str, tensor: Tensor) -> Tensor:
    """The layout keeps the VAE's attention as 1x1 convolutions."""
    is_attention = ".attn_1." in key and tensor.ndim == 2
    return tensor[:, :, None, None] if is_attention else tensor
