"""Models -> tensors of a single-file checkpoint, under the names that every tool reads."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from inference.weights.layout import Stack, checkpoint_layout
from inference.weights.parts import TEXT_ENCODER, TEXT_ENCODER_2, TEXT_ROLES, UNET, VAE
from inference.weights.text_encoder import canonical

__all__ = ["checkpoint_tensors"]


def checkpoint_tensors(
    *, unet: Any, vae: Any, text_encoder: nn.Module | None = None, text_encoder_2: nn.Module | None = None,
    family: str = "sd1",
) -> dict[str, Tensor]:  # fmt: skip
    """Tensors of a checkpoint in the latent-diffusion layout; `unet` and `vae` are diffusers' own models."""
    models = {UNET: unet, VAE: vae, TEXT_ENCODER: text_encoder, TEXT_ENCODER_2: text_encoder_2}
    return {
        name: tensor
        for role, model in models.items()
        if model is not None
        for name, tensor in _tensors(role, model, family)
    }


def _tensors(role: str, model: Any, family: str) -> list[tuple[str, Tensor]]:
    is_text = role in TEXT_ROLES
    state = {canonical(name) if is_text else name: tensor for name, tensor in model.state_dict().items()}
    layout = checkpoint_layout(role, family, {} if is_text else model.config, state)
    return [(name, _stacked(stack, state)) for name, stack in layout.items()]


def _stacked(stack: Stack, state: Mapping[str, Tensor]) -> Tensor:
    blocks = [state[name] for name in stack.parameters]
    tensor = torch.cat(blocks) if len(blocks) > 1 else blocks[0]
    if stack.as_convolution:
        return tensor[:, :, None, None]
    return tensor.T.contiguous() if stack.transposed else tensor
