"""Safetensors files as they will be written: each tensor, and which pieces of which files it is made of (pure)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from inference.weights.parts import Piece

__all__ = ["Content", "Precision", "RewritePlan", "Row", "Source", "bytes_of", "has_fraction"]
__all__ += ["in_eight_bits", "wanted_type"]


class Precision(StrEnum):
    """In how many bits numbers are written, as safetensors spells it."""

    F16 = "F16"
    BF16 = "BF16"
    F32 = "F32"

    @property
    def word(self) -> str:
        """As people say it, and file names do."""
        return {"F16": "fp16", "F32": "fp32"}.get(self, self.lower())


_WIDTHS = {"F8_E4M3": 1, "F8_E5M2": 1, "F16": 2, "BF16": 2, "F32": 4, "F64": 8}
"""Bytes of a number that has a fraction."""


@dataclass(frozen=True, slots=True)
class Source:
    """Numbers as they stand in a file."""

    path: Path
    piece: Piece
    dtype: str


@dataclass(frozen=True, slots=True)
class Row:
    """One tensor of a file to write."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    sources: tuple[Source, ...]
    """One above the other; a marker, which has no numbers, has none."""
    size: int
    """Bytes."""
    transposed: bool = False

    @classmethod
    def marker(cls, name: str) -> "Row":
        """A tensor that says something by being there."""
        return cls(name, "F32", (0,), (), 0)


@dataclass(frozen=True, slots=True)
class Content:
    """What stands in one file."""

    rows: tuple[Row, ...]
    metadata: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RewritePlan:
    """What a model will be written as, read from headers alone."""

    source: Path
    files: Mapping[str, Content]
    """Place within the folder that will be written -> its tensors; of a file, under no name."""
    dropped: tuple[str, ...]
    """Tensors of the source that the result will not hold."""
    texts: Mapping[str, bytes] = field(default_factory=dict)
    """Place within the folder -> what stands there beside the tensors."""
    strangers: tuple[str, ...] = ()
    """Nothing is imported by loading what can be rewritten."""

    @property
    def tensors(self) -> tuple[Row, ...]:
        """All that will be written."""
        return tuple(row for content in self.files.values() for row in content.rows)

    @property
    def size(self) -> int:
        """Bytes of the result, headers aside."""
        return sum(row.size for row in self.tensors) + sum(map(len, self.texts.values()))


def has_fraction(dtype: str) -> bool:
    """Whether its numbers are no whole ones, nor several packed into one."""
    return dtype in _WIDTHS


def in_eight_bits(dtype: str) -> bool:
    """Whether its numbers mean nothing without the scale beside them, where there is one."""
    return _WIDTHS.get(dtype) == 1


def bytes_of(dtype: str) -> int:
    """What a number with a fraction takes."""
    return _WIDTHS[dtype]


def wanted_type(dtypes: Iterable[str], precision: Precision | None) -> str:
    """The type of what is made of tensors of these types; whole numbers keep theirs."""
    kinds = set(dtypes)
    if not kinds <= _WIDTHS.keys():
        return min(kinds)
    if precision:
        return precision
    return kinds.pop() if len(kinds) == 1 else "F32"
