"""Which text encoder a model's prompts go through, chosen by the parts that it has."""

from collections.abc import Mapping

import torch
from torch import nn

from inference.conditioning.clip import Clip, ClipEncoder
from inference.conditioning.embeddings import read_vectors
from inference.conditioning.prompts import TextEncoder
from inference.conditioning.reading import Reading
from inference.conditioning.sdxl import SdxlEncoder, Sizes
from inference.plan import ModelPlan
from inference.prompt.embeddings import Embedding, EmbeddingNames
from inference.prompt.readers import OPEN_CLIP_PADDING
from inference.prompt.tokenizer import EOS
from inference.request import GenerationRequest
from inference.weights.parts import TEXT_ENCODER, TEXT_ENCODER_2

__all__ = ["text_encoder"]

_PENULTIMATE = 2


def text_encoder(
    plan: ModelPlan, models: Mapping[str, nn.Module], request: GenerationRequest, size: tuple[int, int]
) -> TextEncoder:
    """For pictures of `size` px. Clip skip is SD 1's alone, as in webui: the others were trained on one layer."""
    names = EmbeddingNames([Embedding(one.name, one.count) for one in plan.embeddings])
    reading = Reading(request.emphasis, request.comma_backtrack, names)
    if TEXT_ENCODER_2 in models:
        small = _half(plan, models, TEXT_ENCODER, EOS) if TEXT_ENCODER in models else None
        large = _half(plan, models, TEXT_ENCODER_2, OPEN_CLIP_PADDING)
        return SdxlEncoder(large, small, reading, Sizes(*size, aesthetic=small is None))
    is_sd2 = plan.family.name == "sd2"
    module = models[TEXT_ENCODER]
    clip = Clip(
        module,
        layer=1 if is_sd2 else request.clip_skip,
        padding=OPEN_CLIP_PADDING if is_sd2 else EOS,
        vectors=read_vectors(plan.embeddings, TEXT_ENCODER, _device(module)),
    )
    return ClipEncoder(clip, reading)


def _half(plan: ModelPlan, models: Mapping[str, nn.Module], role: str, padding: int) -> Clip:
    """One of SDXL's two."""
    vectors = read_vectors(plan.embeddings, role, _device(models[role]))
    return Clip(models[role], _PENULTIMATE, normed=False, padding=padding, vectors=vectors)


def _device(module: nn.Module) -> torch.device:
    return next(module.parameters()).device
