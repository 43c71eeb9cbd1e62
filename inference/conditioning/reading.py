"""Texts that are encoded together: the chunks they come to, and what their weights do to the encodings."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from inference.prompt.attention import Emphasis, read_runs
from inference.prompt.chunks import COMMA_BACKTRACK, Chunk, chunk_runs
from inference.prompt.embeddings import NO_EMBEDDINGS, EmbeddingNames
from inference.prompt.tokenizer import tokenize

__all__ = ["Read", "Reading"]


@dataclass(frozen=True, slots=True)
class Read:
    """Texts that belong together."""

    chunks: Sequence[Sequence[Chunk]]
    """Of each text once; all have as many as the longest, filled with those of an empty prompt."""
    order: Sequence[int]
    """For every text that was given, which of them it is."""
    emphasis: Emphasis

    def weighted(self, states: Tensor) -> Tensor:
        """[texts, chunks, 77, width], each vector times its token's weight.

        "Original" emphasis then scales the chunks that stand side by side, so that their common mean is what it
        was; a text that was given twice counts twice. Computed in float32: the mean of many numbers of either sign is
        small, and half precision would leave little of it.
        """
        weights = [[chunk.weights for chunk in text] for text in self.chunks]
        if all(weight == 1.0 for text in weights for chunk in text for weight in chunk):
            return states
        exact = states.float()
        weighted = exact * torch.tensor(weights, device=states.device)[..., None]
        if self.emphasis == "Original":
            weighted = weighted * (_means(exact[self.order]) / _means(weighted[self.order]))
        return weighted.to(states.dtype)


@dataclass(frozen=True, slots=True)
class Reading:
    """How prompts are read, whatever encodes them."""

    emphasis: Emphasis = "Original"
    comma_backtrack: int = COMMA_BACKTRACK
    embeddings: EmbeddingNames = NO_EMBEDDINGS

    def read(self, texts: Sequence[str]) -> Read:
        """Their chunks."""
        unique = list(dict.fromkeys(texts))
        chunks = [self._chunks(text) for text in unique]
        return Read(_filled(chunks, self._chunks("")), [unique.index(text) for text in texts], self.emphasis)

    def _chunks(self, text: str) -> list[Chunk]:
        runs = read_runs(text, self.emphasis)
        return chunk_runs(runs, tokenize, comma_backtrack=self.comma_backtrack, embeddings=self.embeddings)


def _filled(texts: Sequence[list[Chunk]], empty: list[Chunk]) -> list[list[Chunk]]:
    most = max(map(len, texts))
    return [[*chunks, *empty * (most - len(chunks))] for chunks in texts]


def _means(states: Tensor) -> Tensor:
    """Of the chunks that stand side by side, [1, chunks, 1, 1]."""
    return states.mean(dim=(0, 2, 3), keepdim=True)
