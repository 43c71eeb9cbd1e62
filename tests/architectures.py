"""Tensor tables of the published models: diffusers' own classes, made from their configurations, hold no weights here.

Configurations are those of the named repositories on Hugging Face, as far as they decide shapes.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

import diffusers
import pytest
import torch

from tests.tables import Shapes

__all__ = ["TRANSFORMERS", "UNETS", "VAES", "class_of", "transformer", "unet", "vae"]

Configurations = Mapping[str, tuple[str, Mapping[str, Any]]]

_CROSS, _PLAIN = "CrossAttnDownBlock2D", "DownBlock2D"
_UP = {_CROSS: "CrossAttnUpBlock2D", _PLAIN: "UpBlock2D"}


def _unet_config(blocks: tuple[str, ...], **config: Any) -> tuple[str, Mapping[str, Any]]:
    ways = {"down_block_types": blocks, "up_block_types": tuple(_UP[one] for one in reversed(blocks))}
    return "UNet2DConditionModel", {**ways, **config}


_SD1 = (_CROSS, _CROSS, _CROSS, _PLAIN)
_SD2: Mapping[str, Any] = {
    "cross_attention_dim": 1024,
    "attention_head_dim": (5, 10, 20, 20),
    "use_linear_projection": True,
}
_SDXL: Mapping[str, Any] = {
    "block_out_channels": (320, 640, 1280),
    "cross_attention_dim": 2048,
    "attention_head_dim": (5, 10, 20),
    "transformer_layers_per_block": (1, 2, 10),
    "use_linear_projection": True,
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 256,
    "projection_class_embeddings_input_dim": 2816,
}
_XL = (_PLAIN, _CROSS, _CROSS)
_REFINER: Mapping[str, Any] = {
    "block_out_channels": (384, 768, 1536, 1536),
    "cross_attention_dim": 1280,
    "attention_head_dim": (6, 12, 24, 24),
    "transformer_layers_per_block": 4,
    "projection_class_embeddings_input_dim": 2560,
}
_KOLORS = {"encoder_hid_dim": 4096, "encoder_hid_dim_type": "text_proj", "projection_class_embeddings_input_dim": 5632}
_X4: Mapping[str, Any] = {
    "in_channels": 7,
    "block_out_channels": (256, 512, 512, 1024),
    "attention_head_dim": 8,
    "cross_attention_dim": 1024,
    "num_class_embeds": 1000,
    "only_cross_attention": (True, True, True, False),
    "use_linear_projection": True,
}
UNETS: Configurations = {
    "sd1": _unet_config(_SD1, cross_attention_dim=768),
    "sd1 inpaint": _unet_config(_SD1, cross_attention_dim=768, in_channels=9),
    "sd1 pix2pix": _unet_config(_SD1, cross_attention_dim=768, in_channels=8),
    "sd2": _unet_config(_SD1, **_SD2),
    "sd2 inpaint": _unet_config(_SD1, **_SD2, in_channels=9),
    "sd2 depth": _unet_config(_SD1, **_SD2, in_channels=5),
    "sd2 unclip-l": _unet_config(
        _SD1, **_SD2, class_embed_type="projection", projection_class_embeddings_input_dim=1536
    ),
    "sd2 unclip-h": _unet_config(
        _SD1, **_SD2, class_embed_type="projection", projection_class_embeddings_input_dim=2048
    ),
    "sd-x4-upscaler": _unet_config((_PLAIN, _CROSS, _CROSS, _CROSS), **_X4),
    "sdxl": _unet_config(_XL, **_SDXL),
    "sdxl inpaint": _unet_config(_XL, **_SDXL, in_channels=9),
    "sdxl pix2pix": _unet_config(_XL, **_SDXL, in_channels=8),
    "sdxl-refiner": _unet_config((_PLAIN, _CROSS, _CROSS, _PLAIN), **_SDXL | _REFINER),
    "sdxl ssd-1b": _unet_config(_XL, **_SDXL | {"transformer_layers_per_block": (1, 2, 4)}, mid_block_type=None),
    "sdxl vega": _unet_config(_XL, **_SDXL | {"transformer_layers_per_block": (1, 1, 2)}, mid_block_type=None),
    "sdxl koala-700m": _unet_config(
        _XL, **_SDXL | {"transformer_layers_per_block": (1, 2, 5)}, layers_per_block=1, mid_block_type=None
    ),
    "sdxl koala-1b": _unet_config(
        _XL, **_SDXL | {"transformer_layers_per_block": (1, 2, 6)}, layers_per_block=1, mid_block_type=None
    ),
    "kolors": _unet_config(_XL, **_SDXL | _KOLORS),
    "svd": ("UNetSpatioTemporalConditionModel", {"num_attention_heads": (5, 10, 20, 20)}),
}
_SD3: Mapping[str, Any] = {"caption_projection_dim": 1536, "num_attention_heads": 24, "num_layers": 24}
_SD35: Mapping[str, Any] = {**_SD3, "qk_norm": "rms_norm"}
_FLUX_DEV = {"guidance_embeds": True}
_KLEIN4: Mapping[str, Any] = {
    "num_layers": 5,
    "num_single_layers": 20,
    "num_attention_heads": 24,
    "joint_attention_dim": 7680,
    "guidance_embeds": False,
}
_KLEIN9 = {
    "num_layers": 8,
    "num_single_layers": 24,
    "num_attention_heads": 32,
    "joint_attention_dim": 12288,
    "guidance_embeds": False,
}
_HIDREAM: Mapping[str, Any] = {
    "patch_size": 2,
    "in_channels": 16,
    "out_channels": 16,
    "num_layers": 16,
    "num_single_layers": 32,
    "num_attention_heads": 20,
    "caption_channels": [4096, 4096],
    "text_emb_dim": 2048,
    "num_routed_experts": 4,
    "num_activated_experts": 2,
    "axes_dims_rope": (64, 32, 32),
    "max_resolution": (128, 128),
    "llama_layers": [*range(32), *[31] * 16],
}
_HUNYUAN_DIT: Mapping[str, Any] = {
    "attention_head_dim": 88,
    "in_channels": 4,
    "patch_size": 2,
    "activation_fn": "gelu-approximate",
    "sample_size": 128,
    "hidden_size": 1408,
    "mlp_ratio": 4.3637,
    "cross_attention_dim": 1024,
    "cross_attention_dim_t5": 2048,
    "pooled_projection_dim": 1024,
}
_CASCADE_C = {"switch_level": (False,), "clip_text_in_channels": 1280, "clip_image_in_channels": 768}
_CASCADE_B: Mapping[str, Any] = {
    "in_channels": 4,
    "out_channels": 4,
    "patch_size": 2,
    "conditioning_dim": 1280,
    "block_out_channels": (320, 640, 1280, 1280),
    "num_attention_heads": (0, 0, 20, 20),
    "down_num_layers_per_block": (2, 6, 28, 6),
    "up_num_layers_per_block": (6, 28, 6, 2),
    "down_blocks_repeat_mappers": (1, 1, 1, 1),
    "up_blocks_repeat_mappers": (3, 3, 2, 2),
    "block_types_per_layer": (
        ("SDCascadeResBlock", "SDCascadeTimestepBlock"),
        ("SDCascadeResBlock", "SDCascadeTimestepBlock"),
        ("SDCascadeResBlock", "SDCascadeTimestepBlock", "SDCascadeAttnBlock"),
        ("SDCascadeResBlock", "SDCascadeTimestepBlock", "SDCascadeAttnBlock"),
    ),
    "self_attn": (False, False, True, True),
    "timestep_conditioning_type": ("sca",),
    "switch_level": None,
    "clip_text_pooled_in_channels": 1280,
    "effnet_in_channels": 16,
    "pixel_mapper_in_channels": 3,
    "dropout": (0, 0, 0.1, 0.1),
}
_ANIMA: Mapping[str, Any] = {
    "in_channels": 16,
    "out_channels": 16,
    "num_attention_heads": 16,
    "num_layers": 28,
    "text_embed_dim": 1024,
    "concat_padding_mask": True,
    "extra_pos_embed_type": None,
}
_WAN_VACE: Mapping[str, Any] = {
    "num_attention_heads": 12,
    "ffn_dim": 8960,
    "num_layers": 30,
    "vace_layers": [*range(0, 30, 2)],
}
TRANSFORMERS: Configurations = {
    "sd3 3.0-medium": ("SD3Transformer2DModel", {**_SD3, "pos_embed_max_size": 192}),
    "sd3 3.5-medium": (
        "SD3Transformer2DModel",
        {**_SD35, "pos_embed_max_size": 384, "dual_attention_layers": tuple(range(13))},
    ),
    "sd3 3.5-large": (
        "SD3Transformer2DModel",
        {
            **_SD35,
            "caption_projection_dim": 2432,
            "num_attention_heads": 38,
            "num_layers": 38,
            "pos_embed_max_size": 192,
        },
    ),
    "flux1 dev": ("FluxTransformer2DModel", _FLUX_DEV),
    "flux1 schnell": ("FluxTransformer2DModel", {}),
    "flux1 fill": ("FluxTransformer2DModel", {**_FLUX_DEV, "in_channels": 384, "out_channels": 64}),
    "flux1 control": ("FluxTransformer2DModel", {**_FLUX_DEV, "in_channels": 128, "out_channels": 64}),
    "flux2 dev": ("Flux2Transformer2DModel", {}),
    "flux2 klein-4b": ("Flux2Transformer2DModel", _KLEIN4),
    "flux2 klein-9b": ("Flux2Transformer2DModel", _KLEIN9),
    "flux3": ("Flux3Transformer2DModel", {}),
    "chroma": ("ChromaTransformer2DModel", {}),
    "qwen-image": ("QwenImageTransformer2DModel", {}),
    "qwen-image-2.1": ("QwenImage21Transformer2DModel", {}),
    "z-image": ("ZImageTransformer2DModel", {}),
    "lumina2": ("Lumina2Transformer2DModel", {"cap_feat_dim": 2304}),
    "krea-2": ("Krea2Transformer2DModel", {}),
    "anima": ("CosmosTransformer3DModel", _ANIMA),
    "pixart alpha": (
        "PixArtTransformer2DModel",
        {"caption_channels": 4096, "sample_size": 128, "use_additional_conditions": True},
    ),
    "pixart": (
        "PixArtTransformer2DModel",
        {"caption_channels": 4096, "sample_size": 128, "use_additional_conditions": False},
    ),
    "auraflow": ("AuraFlowTransformer2DModel", {}),
    "hidream": ("HiDreamImageTransformer2DModel", _HIDREAM),
    "sana": ("SanaTransformer2DModel", {}),
    "hunyuan-dit": ("HunyuanDiT2DModel", _HUNYUAN_DIT),
    "cascade stage-c": ("StableCascadeUNet", _CASCADE_C),
    "cascade stage-b": ("StableCascadeUNet", _CASCADE_B),
    "wan t2v-14b": ("WanTransformer3DModel", {}),
    "wan t2v-1.3b": ("WanTransformer3DModel", {"num_attention_heads": 12, "ffn_dim": 8960, "num_layers": 30}),
    "wan i2v-14b": ("WanTransformer3DModel", {"in_channels": 36, "added_kv_proj_dim": 5120, "image_dim": 1280}),
    "wan ti2v-5b": (
        "WanTransformer3DModel",
        {"in_channels": 48, "out_channels": 48, "num_attention_heads": 24, "ffn_dim": 14336, "num_layers": 30},
    ),
    "wan vace": ("WanVACETransformer3DModel", _WAN_VACE),
    "hunyuan-video": ("HunyuanVideoTransformer3DModel", {}),
    "ltx": ("LTXVideoTransformer3DModel", {}),
    "ltx ltx-2": ("LTX2VideoTransformer3DModel", {}),
}
_KL: Mapping[str, Any] = {
    "block_out_channels": (128, 256, 512, 512),
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
    "layers_per_block": 2,
}
VAES: Configurations = {
    "4-channel": ("AutoencoderKL", _KL),
    "16-channel": (
        "AutoencoderKL",
        {**_KL, "latent_channels": 16, "use_quant_conv": False, "use_post_quant_conv": False},
    ),
    "flux2": ("AutoencoderKLFlux2", {}),
    "qwen-image": ("AutoencoderKLQwenImage", {}),
    "qwen-image-2.1": ("AutoencoderKLQwenImage21", {}),
    "wan 2.2": ("AutoencoderKLWan", {"z_dim": 48, "base_dim": 160, "decoder_base_dim": 256}),
    "svd": ("AutoencoderKLTemporalDecoder", {"block_out_channels": (128, 256, 512, 512)}),
    "hunyuan-video": ("AutoencoderKLHunyuanVideo", {}),
    "ltx": ("AutoencoderKLLTXVideo", {}),
    "sana": ("AutoencoderDC", {}),
    "tiny": ("AutoencoderTiny", {}),
}


@cache
def unet(name: str) -> Shapes:
    """In diffusers' names."""
    return _shapes_of(*UNETS[name])


@cache
def transformer(name: str) -> Shapes:
    """In diffusers' names."""
    return _shapes_of(*TRANSFORMERS[name])


@cache
def vae(name: str) -> Shapes:
    """In diffusers' names."""
    return _shapes_of(*VAES[name])


def class_of(name: str) -> Any:
    """A class of diffusers; a test that needs one which the installed diffusers lacks is skipped."""
    if not hasattr(diffusers, name):
        pytest.skip(f"diffusers {diffusers.__version__} has no {name}")
    return getattr(diffusers, name)


def _shapes_of(model: str, configuration: Mapping[str, Any]) -> Shapes:
    kind = class_of(model)
    with torch.device("meta"):
        module = kind(**configuration)
    return {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
