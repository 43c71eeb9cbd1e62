"""What every format's header comes to: names, types, shapes and places of tensors, and some text."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import msgspec

__all__ = ["TensorEntry", "TensorTable"]

_Count = Annotated[int, msgspec.Meta(ge=0, le=(1 << 63) - 1)]


class TensorEntry(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """One row of the table. It is what a row of a safetensors header is decoded into, so its limits are that format's.

    Tables have thousands of rows and collections thousands of tables: nothing is made twice.
    """

    dtype: str
    """As safetensors spells it (``F16``, ``BF16``, ``F32``, ...); GGUF's own types as it does (``Q4_K``, ...)."""
    shape: Annotated[tuple[_Count, ...], msgspec.Meta(max_length=16)]
    """More dimensions would only serve to make the product of their lengths slow to compute."""
    span: tuple[_Count, _Count] = msgspec.field(name="data_offsets")
    """First byte and the one behind the last, from `TensorTable.data_start`; of a folder's, within their own file."""

    @property
    def start(self) -> int:
        return self.span[0]

    @property
    def end(self) -> int:
        return self.span[1]


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
    """``safetensors``, ``pickle``, ``gguf``, ``onnx`` or ``diffusers`` (a folder)."""

    def shape(self, name: str) -> tuple[int, ...] | None:
        """The shape of a tensor, or None when the file has none of that name."""
        entry = self.tensors.get(name)
        return entry.shape if entry else None
