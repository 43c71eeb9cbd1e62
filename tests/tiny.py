"""Tiny random models in the layouts of real files, so that every path runs in milliseconds."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModel

from inference.weights.export import checkpoint_tensors
from inference.weights.hints import Hints, write_hints
from inference.weights.save import save_tensors

__all__ = ["HINTS", "WIDTH", "lora_tensors", "models", "write_checkpoint", "write_lora", "write_vae"]

WIDTH = 16
"""Columns of the text encodings."""

HINTS = Hints(unet_heads=2, unet_norm_groups=4, vae_norm_groups=4, text_encoder_heads=2, resolution=64)


def models(seed: int = 0, *, width: int = WIDTH, **unet_sizes: Any) -> dict[str, nn.Module]:
    """A random UNet, VAE and text encoder, in eval mode; no two of their parameters are equal.

    Equal ones (norms begin as ones and zeros) would hide that a layout mixes them up.
    """
    torch.manual_seed(seed)
    unet_defaults = {
        "block_out_channels": (8, 16),
        "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
        "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"),
        "layers_per_block": 1,
    }
    unet = UNet2DConditionModel(
        **{**unet_defaults, **unet_sizes},
        cross_attention_dim=width,
        attention_head_dim=HINTS.unet_heads,
        norm_num_groups=HINTS.unet_norm_groups,
    )
    vae = AutoencoderKL(
        block_out_channels=(4, 8, 8, 8),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        latent_channels=4,
        norm_num_groups=HINTS.vae_norm_groups,
    )
    text_encoder = CLIPTextModel(
        CLIPTextConfig(
            hidden_size=width,
            intermediate_size=32,
            num_attention_heads=HINTS.text_encoder_heads,
            num_hidden_layers=2,
            vocab_size=49408,
            bos_token_id=49406,
            eos_token_id=49407,
            pad_token_id=49407,
        )
    )
    found = {"unet": unet, "vae": vae, "text_encoder": text_encoder}
    with torch.no_grad():
        for module in found.values():
            for parameter in module.parameters():
                if parameter.ndim == 1:
                    parameter += 0.05 * torch.randn_like(parameter)
    return {role: module.eval().requires_grad_(False) for role, module in found.items()}


def write_checkpoint(path: Path, seed: int = 0, *, width: int = WIDTH, **metadata: str) -> Path:
    """A single-file checkpoint of `models(seed)`."""
    header = {"modelhub.family": "sd1", "modelhub.kind": "checkpoint", **write_hints(HINTS), **metadata}
    save_tensors(path, checkpoint_tensors(**models(seed, width=width)), header)
    return path


def write_vae(path: Path, seed: int = 0) -> Path:
    """Only the VAE of `models(seed)`, in the latent-diffusion layout."""
    prefix = "first_stage_model."
    tensors = checkpoint_tensors(**models(seed))
    bare = {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
    save_tensors(path, bare, {"modelhub.family": "sd1", "modelhub.kind": "vae", **write_hints(HINTS)})
    return path


def write_lora(
    path: Path,
    modules: Mapping[str, tuple[int, ...]],
    *,
    rank: int = 2,
    seed: int = 0,
    alpha: float = 1.0,
    **metadata: str,
) -> Path:
    """A random kohya LoRA over `modules`: name -> shape of the weight."""
    save_tensors(path, lora_tensors(modules, rank=rank, seed=seed, alpha=alpha), {"modelhub.family": "sd1", **metadata})
    return path


def lora_tensors(
    modules: Mapping[str, tuple[int, ...]], *, rank: int = 2, seed: int = 0, alpha: float | None = 1.0
) -> dict[str, Tensor]:
    """Random factors of kohya's shape: a convolution's kernel is in the lower one. No `alpha`, no such tensors."""
    generator = torch.Generator().manual_seed(seed)
    tensors: dict[str, Tensor] = {}
    for name, (out, *rest) in modules.items():
        ones = [1] * (len(rest) - 1)
        tensors[f"{name}.lora_down.weight"] = torch.randn(rank, *rest, generator=generator)
        tensors[f"{name}.lora_up.weight"] = torch.randn(out, rank, *ones, generator=generator)
        if alpha is not None:
            tensors[f"{name}.alpha"] = torch.tensor(alpha)
    return tensors
