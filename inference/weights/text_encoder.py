"""Names and sizes of a CLIP text encoder as Stable Diffusion 1 files hold it (pure, no torch)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from modelhub.headers import TensorTable

__all__ = ["TextEncoderShape", "canonical", "config", "read_shape"]

CANONICAL = "text_model."
"""Begins every name in the files that tools exchange, whatever the installed transformers calls its modules."""


@dataclass(frozen=True, slots=True)
class TextEncoderShape:
    """All that the tensor shapes tell about a CLIP text encoder."""

    width: int
    layers: int
    intermediate: int
    vocabulary: int
    positions: int


def read_shape(table: TensorTable, prefix: str) -> TextEncoderShape:
    """Sizes of the encoder whose keys begin with `prefix` (``...transformer.text_model.``)."""
    layers = 0
    while table.shape(f"{prefix}encoder.layers.{layers}.mlp.fc1.weight"):
        layers += 1
    tokens = table.shape(f"{prefix}embeddings.token_embedding.weight") or (0, 0)
    return TextEncoderShape(
        width=tokens[1],
        layers=layers,
        intermediate=(table.shape(f"{prefix}encoder.layers.0.mlp.fc1.weight") or (0,))[0],
        vocabulary=tokens[0],
        positions=(table.shape(f"{prefix}embeddings.position_embedding.weight") or (0,))[0],
    )


def config(shape: TextEncoderShape, defaults: Mapping[str, Any], *, heads: int) -> dict[str, Any]:
    """Arguments of transformers' `CLIPTextConfig` for these sizes; `defaults` are the family's other ones."""
    return {
        **defaults,
        "hidden_size": shape.width,
        "num_hidden_layers": shape.layers,
        "intermediate_size": shape.intermediate,
        "num_attention_heads": heads,
        "vocab_size": shape.vocabulary,
        "max_position_embeddings": shape.positions,
    }


def canonical(name: str) -> str:
    """A module's or parameter's name as files write it.

    transformers 5.6 dropped the ``text_model`` level from `CLIPTextModel`; files keep it.
    """
    return name if name.startswith(CANONICAL) else CANONICAL + name
