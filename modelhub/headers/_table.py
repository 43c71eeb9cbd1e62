"""What every format's header comes to: names, types, shapes and places of tensors, and some text."""

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["TensorEntry", "TensorTable"]


@dataclass(frozen=True, slots=True)
class TensorEntry:
    """One row of the table."""

    dtype: str
    """As safetensors spells it (``F16``, ``BF16``, ``F32``, ...); GGUF's own types as it does (``Q4_K``, ...)."""
    shape: tuple[int, ...]
    start: int
    end: int
    """Bytes, counted from `TensorTable.data_start`."""


@dataclass(frozen=True, slots=True)
class TensorTable:
    """What a model's header says, checked against the file's size."""

    tensors: Mapping[str, TensorEntry]
    """In the order of the header."""
    metadata: Mapping[str, str]
    """Text by strangers: safetensors' ``__metadata__``, GGUF's keys, what a pickle holds beside its tensors."""
    data_start: int = 0
    """Byte at which the tensors begin."""
    container: str = "safetensors"
    """``safetensors``, ``pickle``, ``gguf`` or ``diffusers`` (a folder)."""

    def shape(self, name: str) -> tuple[int, ...] | None:
        """The shape of a tensor, or None when the file has none of that name."""
        entry = self.tensors.get(name)
        return entry.shape if entry else None
