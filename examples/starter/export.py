"""Writes the trained networks as one checkpoint file in Stable Diffusion 1's layout, in half precision.

python -m examples.starter.export --work DIR [--out modelhub/starter/starter.safetensors]
"""

import argparse
from pathlib import Path

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModel

from examples.starter.diffusion import TEXT_CONFIG, UNET_CONFIG
from examples.starter.vae import CONFIG as VAE_CONFIG
from inference.weights.export import checkpoint_tensors
from inference.weights.hints import Hints, write_hints
from inference.weights.save import save_tensors, tensor_digest
from modelhub import starter

LATENT_PIXELS = 8
"""Pixels of a side per latent."""
ROWS = "text_encoder.embeddings.token_embedding.weight"


def main() -> None:
    """Take the VAE and the averaged UNet and text encoder out of the training's folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True, help="where the checkpoints are")
    parser.add_argument("--out", type=Path, default=starter.CHECKPOINT)
    options = parser.parse_args()
    encoded = torch.load(options.work / "vae.pt", weights_only=True, map_location="cpu")
    held = torch.load(options.work / "diffusion-checkpoint.pt", weights_only=True, map_location="cpu")
    painter = held["ema"]
    painter[ROWS] = whole_vocabulary(painter.pop("vocabulary"), painter[ROWS])
    tensors = checkpoint_tensors(
        unet=_filled(UNet2DConditionModel(**UNET_CONFIG), painter, "unet."),
        vae=_filled(AutoencoderKL(**VAE_CONFIG), encoded["vae"], ""),
        text_encoder=_filled(CLIPTextModel(CLIPTextConfig(**TEXT_CONFIG)), painter, "text_encoder."),
    )
    halves = {name: tensor.half() for name, tensor in tensors.items()}
    save_tensors(options.out, halves, header(halves, encoded["latents"].shape[-1] * LATENT_PIXELS))
    print(f"step {held['step']}: {options.out.stat().st_size / 1e6:.1f} MB -> {options.out}")


def whole_vocabulary(vocabulary: Tensor, rows: Tensor, size: int = 49408) -> Tensor:
    """The trained rows at their tokens, and at all others what an untrained row starts as, [size, width]."""
    table = torch.randn(size, rows.shape[1], generator=torch.Generator().manual_seed(0)) * 0.02
    table[vocabulary] = rows
    return table


def header(tensors: dict[str, Tensor], pixels: int) -> dict[str, str]:
    """What no tensor shape tells, and what readers of modelspec look for; `pixels` is the side of a picture."""
    hints = Hints(
        unet_heads=UNET_CONFIG["attention_head_dim"],
        unet_norm_groups=UNET_CONFIG["norm_num_groups"],
        vae_norm_groups=VAE_CONFIG["norm_num_groups"],
        text_encoder_heads=TEXT_CONFIG["num_attention_heads"],
        resolution=pixels,
    )
    return {
        **write_hints(hints),
        "modelhub.family": "sd1",
        "modelhub.kind": "checkpoint",
        "modelspec.sai_model_spec": "1.0.1",
        "modelspec.architecture": "stable-diffusion-v1",
        "modelspec.implementation": "diffusers",
        "modelspec.title": "ModelHub starter",
        "modelspec.description": "A toy: emoji on white. It shows the machinery; use a real model for real pictures.",
        "modelspec.license": "Apache-2.0",
        "modelspec.resolution": f"{pixels}x{pixels}",
        "modelspec.prediction_type": "epsilon",
        "modelspec.hash_sha256": f"0x{tensor_digest(tensors)}",
    }


def _filled(module: nn.Module, held: dict[str, Tensor], prefix: str) -> nn.Module:
    module.load_state_dict(
        {name.removeprefix(prefix): value for name, value in held.items() if name.startswith(prefix)}
    )
    return module


if __name__ == "__main__":
    main()
