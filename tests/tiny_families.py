"""Tiny random models of Stable Diffusion 2, XL and XL's refiner, in the layouts of real files.

Their two text encoders differ in width, and no two of their parameters are equal: nothing can be mixed up unseen.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from inference.weights.export import checkpoint_tensors
from inference.weights.hints import Hints, write_hints
from inference.weights.save import save_tensors

__all__ = ["HINTS", "MODELS", "refiner_models", "sd2_models", "sdxl_models", "write_family", "write_refiner"]
__all__ += ["write_folder", "write_sd2", "write_sdxl"]

HINTS = Hints(unet_heads=2, unet_norm_groups=4, vae_norm_groups=4, text_encoder_heads=2, resolution=64)
_SIZE_WIDTH = 256
"""Columns that SDXL makes of each number that it is told: six of them, the refiner five."""
_CROSS, _PLAIN = "CrossAttnDownBlock2D", "DownBlock2D"
_UP = {_CROSS: "CrossAttnUpBlock2D", _PLAIN: "UpBlock2D"}


def sd2_models(seed: int = 0, **unet_sizes: Any) -> dict[str, nn.Module]:
    """``unet``, ``vae``, ``text_encoder`` (16 wide, gelu), in eval mode."""
    torch.manual_seed(seed)
    return _ready(
        unet=_unet(16, (_CROSS, _PLAIN), **unet_sizes),
        vae=_vae(),
        text_encoder=CLIPTextModel(_text(16, hidden_act="gelu", pad_token_id=0)),
    )


def sdxl_models(seed: int = 0, **unet_sizes: Any) -> dict[str, nn.Module]:
    """``unet``, ``vae``, ``text_encoder`` (8 wide, 3 layers), ``text_encoder_2`` (16 wide, 4 layers, pooled 16)."""
    torch.manual_seed(seed)
    sizes = {"transformer_layers_per_block": (1, 2), **_labels(16, 6)}
    return _ready(
        unet=_unet(24, (_PLAIN, _CROSS), **{**sizes, **unet_sizes}),
        vae=_vae(),
        text_encoder=CLIPTextModel(_text(8, num_hidden_layers=3)),
        text_encoder_2=_projecting(16),
    )


def refiner_models(seed: int = 0, **unet_sizes: Any) -> dict[str, nn.Module]:
    """``unet``, ``vae``, ``text_encoder_2`` (16 wide, pooled 16)."""
    torch.manual_seed(seed)
    sizes = {"block_out_channels": (8, 16, 16), "transformer_layers_per_block": 2, **_labels(16, 5)}
    return _ready(
        unet=_unet(16, (_PLAIN, _CROSS, _PLAIN), **{**sizes, **unet_sizes}), vae=_vae(), text_encoder_2=_projecting(16)
    )


MODELS: Mapping[str, Callable[..., dict[str, nn.Module]]] = {
    "sd2": sd2_models,
    "sdxl": sdxl_models,
    "sdxl-refiner": refiner_models,
}
"""Family -> what makes tiny models of it."""


def write_family(path: Path, family: str, seed: int = 0, **metadata: str) -> Path:
    """A single-file checkpoint of the family's tiny models."""
    header = {"modelhub.family": family, "modelhub.kind": "checkpoint", **write_hints(HINTS), **metadata}
    save_tensors(path, checkpoint_tensors(**MODELS[family](seed), family=family), header)
    return path


def write_sd2(path: Path, seed: int = 0, **metadata: str) -> Path:
    """A single-file checkpoint of `sd2_models(seed)`."""
    return write_family(path, "sd2", seed, **metadata)


def write_sdxl(path: Path, seed: int = 0, **metadata: str) -> Path:
    """A single-file checkpoint of `sdxl_models(seed)`."""
    return write_family(path, "sdxl", seed, **metadata)


def write_refiner(path: Path, seed: int = 0, **metadata: str) -> Path:
    """A single-file checkpoint of `refiner_models(seed)`."""
    return write_family(path, "sdxl-refiner", seed, **metadata)


def write_folder(folder: Path, models: Mapping[str, Any], **options: Any) -> Path:
    """As diffusers' `save_pretrained` lays a pipeline out; `options` are its own."""
    index = {role: [type(model).__module__.partition(".")[0], type(model).__name__] for role, model in models.items()}
    folder.mkdir(parents=True)
    (folder / "model_index.json").write_text(json.dumps({"_class_name": "DiffusionPipeline", **index}))
    for role, model in models.items():
        model.save_pretrained(folder / role, **options)
    return folder


def _unet(context: int, blocks: tuple[str, ...], **sizes: Any) -> UNet2DConditionModel:
    defaults: dict[str, Any] = {
        "block_out_channels": (8, 16),
        "down_block_types": blocks,
        "up_block_types": tuple(_UP[one] for one in reversed(blocks)),
        "layers_per_block": 1,
        "use_linear_projection": True,
        "attention_head_dim": HINTS.unet_heads,
        "norm_num_groups": HINTS.unet_norm_groups,
    }
    return UNet2DConditionModel(**{**defaults, **sizes}, cross_attention_dim=context)


def _labels(pooled: int, numbers: int) -> dict[str, Any]:
    return {
        "addition_embed_type": "text_time",
        "addition_time_embed_dim": _SIZE_WIDTH,
        "projection_class_embeddings_input_dim": pooled + numbers * _SIZE_WIDTH,
    }


def _vae() -> AutoencoderKL:
    return AutoencoderKL(
        block_out_channels=(4, 8, 8, 8),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        latent_channels=4,
        norm_num_groups=HINTS.vae_norm_groups,
    )


def _text(width: int, **config: Any) -> CLIPTextConfig:
    usual: dict[str, Any] = {"num_hidden_layers": 3, "hidden_act": "quick_gelu", "pad_token_id": 49407}
    return CLIPTextConfig(
        **{**usual, **config},
        hidden_size=width,
        intermediate_size=2 * width,
        num_attention_heads=HINTS.text_encoder_heads,
        vocab_size=49408,
        bos_token_id=49406,
        eos_token_id=49407,
    )


def _projecting(width: int) -> CLIPTextModelWithProjection:
    config = _text(width, num_hidden_layers=4, hidden_act="gelu", projection_dim=16, pad_token_id=0)
    return CLIPTextModelWithProjection(config)


def _ready(**models: nn.Module) -> dict[str, nn.Module]:
    """With norms that are no longer ones and zeros."""
    with torch.no_grad():
        for parameter in (one for model in models.values() for one in model.parameters() if one.ndim == 1):
            parameter += 0.05 * torch.randn_like(parameter)
    return {role: model.eval().requires_grad_(False) for role, model in models.items()}
