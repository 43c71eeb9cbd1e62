"""Encodings of captions on disk, keyed by all that decides them."""

import hashlib
from pathlib import Path

from torch import Tensor

from inference.conditioning.encoding import Encoding
from trainers.caches.store import Counts, Store

__all__ = ["TextCache"]

_SCHEMA = 1
"""Raised whenever the same text would come to other tokens, or the same tokens be read in another way."""


class TextCache:
    """A folder of encodings for captions that are read in one way."""

    def __init__(self, folder: Path, reader: str) -> None:
        """`reader` names all but the caption: the text encoders' weights, and what of them is read."""
        self._store = Store(folder)
        self._reader = reader

    @property
    def counts(self) -> Counts:
        return self._store.counts

    def get(self, caption: str) -> Encoding | None:
        """One row; None where it is not there."""
        stored = self._store.get(self.key(caption))
        return Encoding(stored["tokens"], stored.get("pooled")) if stored else None

    def put(self, caption: str, encoding: Encoding) -> None:
        tensors = {"tokens": encoding.tokens, "pooled": encoding.pooled}
        there: dict[str, Tensor] = {name: one for name, one in tensors.items() if one is not None}
        self._store.put(self.key(caption), there)

    def key(self, caption: str) -> str:
        """Everything that decides the bytes of an encoding."""
        return hashlib.sha256(repr((_SCHEMA, self._reader, caption)).encode()).hexdigest()
