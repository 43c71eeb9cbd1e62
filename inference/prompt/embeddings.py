"""Names of embeddings in prompts: found among the tokens, wherever they stand (stable-diffusion-webui's rule)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from inference.prompt.tokenizer import tokenize

__all__ = ["NO_EMBEDDINGS", "Embedding", "EmbeddingNames"]


@dataclass(frozen=True, slots=True)
class Embedding:
    """What a name in a prompt stands for."""

    name: str
    count: int
    """Vectors: so many tokens' places it takes."""


class EmbeddingNames:
    """Embeddings by the tokens of their names: capitals and spaces mean what they mean to the tokenizer."""

    def __init__(self, embeddings: Sequence[Embedding] = ()) -> None:
        """Of two whose names are the same tokens, the first one counts."""
        found: dict[tuple[int, ...], Embedding] = {}
        names = tokenize([one.name for one in embeddings]) if embeddings else []
        for tokens, embedding in zip(names, embeddings, strict=True):
            if tokens:
                found.setdefault(tuple(tokens), embedding)
        self._by_first: Mapping[int, Sequence[tuple[tuple[int, ...], Embedding]]] = _by_first(found)

    def at(self, tokens: Sequence[int], position: int) -> tuple[Embedding, int] | None:
        """The embedding with the longest name that begins there, and how many tokens the name has."""
        for name, embedding in self._by_first.get(tokens[position], ()):
            if tuple(tokens[position : position + len(name)]) == name:
                return embedding, len(name)
        return None


def _by_first(
    found: Mapping[tuple[int, ...], Embedding],
) -> dict[int, list[tuple[tuple[int, ...], Embedding]]]:
    """First token -> the names that begin with it, longest first."""
    lists: dict[int, list[tuple[tuple[int, ...], Embedding]]] = {}
    for name in sorted(found, key=len, reverse=True):
        lists.setdefault(name[0], []).append((name, found[name]))
    return lists


NO_EMBEDDINGS = EmbeddingNames()
"""All words are words."""
