"""Chunks -> CLIP text encodings with attention weights, the way stable-diffusion-webui makes them for SD 1."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from inference.prompt.attention import parse_attention
from inference.prompt.chunks import Chunk, chunk_runs
from inference.prompt.tokenizer import tokenize

__all__ = ["encode_chunks", "encode_prompt", "hidden_state", "pad_to_equal"]


def encode_prompt(text_encoder: nn.Module, prompt: str, *, clip_skip: int = 1) -> Tensor:
    """Encodings of one prompt, [77 * chunks, width]."""
    return encode_chunks(text_encoder, chunk_runs(parse_attention(prompt), tokenize), clip_skip=clip_skip)


def encode_chunks(text_encoder: nn.Module, chunks: Sequence[Chunk], *, clip_skip: int = 1) -> Tensor:
    """Encodings of all chunks of a prompt in a row, [77 * chunks, width].

    Each token's encoding is multiplied by its weight, then each chunk is scaled so that its mean is what it was:
    webui's "Original" emphasis. `clip_skip` counts layers from the end; 1 takes the last.
    """
    device = next(text_encoder.parameters()).device
    tokens = torch.tensor([chunk.tokens for chunk in chunks], device=device)
    encoded = hidden_state(text_encoder, tokens, clip_skip)
    if any(weight != 1.0 for chunk in chunks for weight in chunk.weights):
        weights = torch.tensor([chunk.weights for chunk in chunks], device=device, dtype=encoded.dtype)
        weighted = encoded * weights[..., None]
        encoded = weighted * (_chunk_means(encoded) / _chunk_means(weighted))
    return encoded.flatten(0, 1)


def pad_to_equal(text_encoder: nn.Module, encodings: Sequence[Tensor], *, clip_skip: int = 1) -> Tensor:
    """Stack prompts' encodings, [N, 77 * most chunks, width]: shorter ones get chunks of an empty prompt."""
    longest = max(len(one) for one in encodings)
    if all(len(one) == longest for one in encodings):
        return torch.stack(list(encodings))
    empty = encode_prompt(text_encoder, "", clip_skip=clip_skip)
    filled = [torch.cat([one, empty.repeat((longest - len(one)) // len(empty), 1)]) for one in encodings]
    return torch.stack(filled)


def hidden_state(text_encoder: nn.Module, tokens: Tensor, clip_skip: int) -> Tensor:
    """[N, 77] ids -> [N, 77, width]: the last layer, or one further from the end, always through the final norm."""
    if clip_skip == 1:
        state: Tensor = text_encoder(tokens).last_hidden_state
        return state
    hidden = text_encoder(tokens, output_hidden_states=True).hidden_states[-clip_skip]
    # transformers before 5.6 keeps the layers one level down
    layers: Any = getattr(text_encoder, "text_model", text_encoder)
    normed: Tensor = layers.final_layer_norm(hidden)
    return normed


def _chunk_means(encoded: Tensor) -> Tensor:
    return encoded.mean(dim=(1, 2), keepdim=True)
