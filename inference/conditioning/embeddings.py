"""Embeddings' vectors, read from their files for each text encoder."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from inference.plan import EmbeddingPlan
from inference.weights.load import read_tensors

__all__ = ["read_vectors"]


def read_vectors(embeddings: Sequence[EmbeddingPlan], role: str, device: torch.device) -> Mapping[str, Tensor]:
    """Name -> [vectors, width] for the text encoder that plays `role`."""
    found = {}
    for one in embeddings:
        tensor = one.rows[role]
        found[one.name] = read_tensors(one.path, [tensor], device=device)[tensor].reshape(one.count, -1)
    return found
