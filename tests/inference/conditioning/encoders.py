"""Tiny random text encoders of each sort."""

import torch
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

__all__ = ["large", "small"]


def small(width: int = 16) -> nn.Module:
    """As SD 1's, and CLIP-L in SDXL."""
    return _ready(CLIPTextModel(_config(width)))


def large(width: int = 24) -> nn.Module:
    """As bigG: it projects, and pads with 0."""
    return _ready(CLIPTextModelWithProjection(_config(width, pad_token_id=0, hidden_act="gelu")))


def _config(width: int, **others: object) -> CLIPTextConfig:
    sizes = {"hidden_size": width, "intermediate_size": 32, "projection_dim": width, "num_hidden_layers": 3}
    return CLIPTextConfig(**{**sizes, "num_attention_heads": 2, "eos_token_id": 49407, **others})


def _ready(module: nn.Module) -> nn.Module:
    """Norms begin as ones and zeros, which would hide whether they were passed."""
    generator = torch.Generator().manual_seed(len(list(module.parameters())))
    for parameter in module.parameters():
        parameter.data = parameter.data + 0.05 * torch.randn(parameter.shape, generator=generator)
    return module.eval().requires_grad_(False)
