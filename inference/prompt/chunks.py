"""Prompts of any length as chunks of 75 tokens, each token with its weight (stable-diffusion-webui's rules)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from inference.prompt.attention import Run
from inference.prompt.tokenizer import BOS, COMMA, EOS

__all__ = ["CHUNK", "COMMA_BACKTRACK", "Chunk", "chunk_runs"]

CHUNK = 75
"""Tokens of a chunk, without the marks of beginning and end."""

COMMA_BACKTRACK = 20
"""How many tokens of a full chunk may move on, so that it ends at a comma; webui's default."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """What one pass through a text encoder sees."""

    tokens: tuple[int, ...]
    """77 ids: beginning, 75 tokens, end; padded with the end mark."""
    weights: tuple[float, ...]
    """77 attention weights; 1.0 for marks and padding."""


def chunk_runs(
    runs: Sequence[Run],
    tokenize: Callable[[Sequence[str]], list[list[int]]],
    *,
    comma_backtrack: int = COMMA_BACKTRACK,
) -> list[Chunk]:
    """Cut weighted runs into chunks: at a BREAK, or when 75 tokens are full.

    When a chunk overflows and its last comma is one of its last `comma_backtrack` tokens, what follows the comma
    moves on to the next chunk, so that a phrase is not cut in two; 0 never looks back.
    """
    builder = _Builder(comma_backtrack)
    for run, tokens in zip(runs, tokenize([run.text for run in runs]), strict=True):
        if run.is_break:
            builder.close()
            continue
        for token in tokens:
            builder.add(token, run.weight)
    if builder.tokens or not builder.chunks:
        builder.close()
    return builder.chunks


class _Builder:
    def __init__(self, comma_backtrack: int) -> None:
        self.comma_backtrack = comma_backtrack
        self.chunks: list[Chunk] = []
        self.tokens: list[int] = []
        self.weights: list[float] = []
        self.after_comma: int | None = None

    def add(self, token: int, weight: float) -> None:
        if token == COMMA:
            self.after_comma = len(self.tokens) + 1
        if len(self.tokens) == CHUNK:
            self._overflow(token)
        self.tokens.append(token)
        self.weights.append(weight)

    def close(self, keep: int | None = None) -> None:
        """Publish the first `keep` tokens (all, when None) as a chunk; the others begin the next one."""
        tokens, weights = self.tokens[:keep], self.weights[:keep]
        padding = CHUNK - len(tokens)
        self.chunks.append(
            Chunk(
                tokens=(BOS, *tokens, *[EOS] * (padding + 1)),
                weights=(1.0, *weights, *[1.0] * (padding + 1)),
            )
        )
        self.tokens, self.weights = self.tokens[len(tokens) :], self.weights[len(weights) :]
        self.after_comma = None

    def _overflow(self, token: int) -> None:
        phrase = CHUNK - self.after_comma if self.after_comma is not None else CHUNK
        if token != COMMA and phrase < self.comma_backtrack:
            self.close(keep=self.after_comma)
        else:
            self.close()
