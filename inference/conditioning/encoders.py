"""Which text encoder a model's prompts go through, chosen by the parts that it has."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

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

__all__ = ["clips", "text_encoder"]

_PENULTIMATE = 2


def text_encoder(
    plan: ModelPlan, models: Mapping[str, nn.Module], request: GenerationRequest, size: tuple[int, int]
) -> TextEncoder:
    """For pictures of `size` px. Clip skip is SD 1's alone, as in webui: the others were trained on one layer."""
    names = EmbeddingNames([Embedding(one.name, one.count) for one in plan.embeddings])
    reading = Reading(request.emphasis, request.comma_backtrack, names)
    found = clips(
        plan, models, lambda role: read_vectors(plan.embeddings, role, _device(models[role])), request.clip_skip
    )
    if TEXT_ENCODER_2 in found:
        small = found.get(TEXT_ENCODER)
        return SdxlEncoder(found[TEXT_ENCODER_2], small, reading, Sizes(*size, aesthetic=small is None))
    return ClipEncoder(found[TEXT_ENCODER], reading)


def clips(
    plan: ModelPlan, models: Mapping[str, nn.Module], vectors: Callable[[str], Mapping[str, Tensor]], clip_skip: int
) -> dict[str, Clip]:
    """Role -> its text encoder as the family's UNets were trained to hear it; `vectors` gives a role's new words."""
    if TEXT_ENCODER_2 in models:
        paddings = {TEXT_ENCODER: EOS, TEXT_ENCODER_2: OPEN_CLIP_PADDING}
        return {
            role: Clip(models[role], _PENULTIMATE, normed=False, padding=padding, vectors=vectors(role))
            for role, padding in paddings.items()
            if role in models
        }
    is_sd2 = plan.family.name == "sd2"
    layer, padding = (1, OPEN_CLIP_PADDING) if is_sd2 else (clip_skip, EOS)
    return {TEXT_ENCODER: Clip(models[TEXT_ENCODER], layer, padding=padding, vectors=vectors(TEXT_ENCODER))}


def _device(module: nn.Module) -> torch.device:
    return next(module.parameters()).device
