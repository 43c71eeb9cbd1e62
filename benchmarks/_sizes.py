"""Networks as large as Stable Diffusion 1.5's, with numbers by lot: what they cost, without what they know."""

from collections.abc import Mapping
from typing import Any

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel

from inference.weights.parts import TEXT_ENCODER, UNET, VAE

__all__ = ["sd1_models", "sd1_unet", "shared"]


def sd1_unet(device: torch.device, dtype: torch.dtype) -> nn.Module:
    with torch.device("meta"):
        made = UNet2DConditionModel(
            cross_attention_dim=768, attention_head_dim=8, block_out_channels=(320, 640, 1280, 1280)
        )
    return _by_lot(made, device, dtype)


def sd1_models(device: torch.device, dtype: torch.dtype) -> Mapping[str, nn.Module]:
    """Role -> model, frozen."""
    with torch.device("meta"):
        vae = AutoencoderKL(
            block_out_channels=(128, 256, 512, 512), down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4, layers_per_block=2, sample_size=512,
        )  # fmt: skip
    reads = CLIPTextConfig(
        hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12, projection_dim=768
    )
    text_encoder = CLIPTextModel(reads).to(device, dtype).requires_grad_(False).eval()
    return {
        UNET: sd1_unet(device, dtype),
        VAE: _by_lot(vae, device, dtype),
        TEXT_ENCODER: text_encoder,
    }


def shared(model: nn.Module) -> dict[int, Any]:
    """For a copy of the modules over the very same parameters."""
    return {id(parameter): parameter for parameter in model.parameters()}


def _by_lot(made: nn.Module, device: torch.device, dtype: torch.dtype) -> nn.Module:
    """So that what goes in keeps about its size on the way."""
    model: nn.Module = made.to_empty(device=device).to(dtype).requires_grad_(False).eval()
    for parameter in model.parameters():
        if parameter.ndim > 1:
            parameter.normal_(std=parameter[0].numel() ** -0.5)
        else:
            parameter.zero_()
    for module in model.modules():
        if isinstance(module, nn.GroupNorm | nn.LayerNorm):
            module.weight.fill_(1.0)
    return model
