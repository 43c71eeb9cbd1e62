"""Prompts of any length as chunks of 75 tokens, each token with its weight (stable-diffusion-webui's rules)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from inference.prompt.attention import Run
from inference.prompt.embeddings import NO_EMBEDDINGS, Embedding, EmbeddingNames
from inference.prompt.tokenizer import BOS, COMMA, EOS

__all__ = ["CHUNK", "COMMA_BACKTRACK", "Chunk", "Slot", "chunk_runs"]

CHUNK = 75
"""Tokens of a chunk, without the marks of beginning and end."""

COMMA_BACKTRACK = 20
"""How many tokens of a full chunk may move on, so that it ends at a comma; webui's default."""

_PLACE = 0
"""The token that holds a place for an embedding's vector."""


@dataclass(frozen=True, slots=True)
class Slot:
    """Places of a chunk that an embedding's vectors take."""

    start: int
    """Of the first one, among the chunk's 77."""
    embedding: Embedding


@dataclass(frozen=True, slots=True)
class Chunk:
    """What one pass through a text encoder sees."""

    tokens: tuple[int, ...]
    """77 ids: beginning, 75 tokens, end; padded with the end mark."""
    weights: tuple[float, ...]
    """77 attention weights; 1.0 for marks and padding."""
    slots: tuple[Slot, ...] = ()
    """Where embeddings stand; the tokens there mean nothing."""


def chunk_runs(
    runs: Sequence[Run],
    tokenize: Callable[[Sequence[str]], list[list[int]]],
    *,
    comma_backtrack: int = COMMA_BACKTRACK,
    embeddings: EmbeddingNames = NO_EMBEDDINGS,
) -> list[Chunk]:
    """Cut weighted runs into chunks: at a BREAK, or when 75 tokens are full.

    When a chunk overflows and its last comma is one of its last `comma_backtrack` tokens, what follows the comma
    moves on to the next chunk, so that a phrase is not cut in two; 0 never looks back. An embedding is never cut:
    where its vectors have no room it begins the next chunk.
    """
    builder = _Builder(comma_backtrack)
    for run, tokens in zip(runs, tokenize([run.text for run in runs]), strict=True):
        if run.is_break:
            builder.close()
            continue
        position = 0
        while position < len(tokens):
            builder.make_room(tokens[position])
            found = embeddings.at(tokens, position)
            if found:
                builder.embed(found[0], run.weight)
            else:
                builder.add(tokens[position], run.weight)
            position += found[1] if found else 1
    if builder.tokens or not builder.chunks:
        builder.close()
    return builder.chunks


class _Builder:
    def __init__(self, comma_backtrack: int) -> None:
        self.comma_backtrack = comma_backtrack
        self.chunks: list[Chunk] = []
        self.tokens: list[int] = []
        self.weights: list[float] = []
        self.slots: list[Slot] = []
        self.after_comma: int | None = None

    def make_room(self, token: int) -> None:
        """For what begins with `token`."""
        if token == COMMA:
            self.after_comma = len(self.tokens) + 1
        if len(self.tokens) == CHUNK:
            self._overflow(token)

    def add(self, token: int, weight: float) -> None:
        self.tokens.append(token)
        self.weights.append(weight)

    def embed(self, embedding: Embedding, weight: float) -> None:
        if len(self.tokens) + embedding.count > CHUNK:
            self.close()
        self.slots.append(Slot(len(self.tokens) + 1, embedding))
        self.tokens += [_PLACE] * embedding.count
        self.weights += [weight] * embedding.count

    def close(self, keep: int | None = None) -> None:
        """Publish the first `keep` tokens (all, when None) as a chunk; the others begin the next one."""
        tokens, weights = self.tokens[:keep], self.weights[:keep]
        padding = CHUNK - len(tokens)
        self.chunks.append(
            Chunk(
                tokens=(BOS, *tokens, *[EOS] * (padding + 1)),
                weights=(1.0, *weights, *[1.0] * (padding + 1)),
                slots=tuple(slot for slot in self.slots if slot.start <= len(tokens)),
            )
        )
        self.tokens, self.weights = self.tokens[len(tokens) :], self.weights[len(weights) :]
        # webui leaves the vectors of what moves on behind, in the padding: no one wants that
        moved = [slot for slot in self.slots if slot.start > len(tokens)]
        self.slots = [replace(slot, start=slot.start - len(tokens)) for slot in moved]
        self.after_comma = None

    def _overflow(self, token: int) -> None:
        phrase = CHUNK - self.after_comma if self.after_comma is not None else CHUNK
        if token != COMMA and phrase < self.comma_backtrack:
            self.close(keep=self.after_comma)
        else:
            self.close()
