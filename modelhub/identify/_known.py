"""The words that identification speaks: a file, a fact with its reason, a claim."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from modelhub.families import Pattern, Signature
from modelhub.headers import TensorTable
from modelhub.identify._header import Header
from modelhub.kinds import Evidence, Facts, Kind, Source

__all__ = ["Claim", "Known", "WeightFile", "stated"]


@dataclass(frozen=True)
class WeightFile:
    """All that a file is identified from. Every kind asks it, so it answers from indexes that are made once."""

    table: TensorTable
    header: Header
    name: str
    """Stem of the file's name."""

    @cached_property
    def endings(self) -> Mapping[str, Sequence[str]]:
        """Last part of a tensor's dotted name (the last two where it ends in weight or bias) -> all such names."""
        found: dict[str, list[str]] = {}
        for name in self.table.tensors:
            head, _, tail = name.rpartition(".")
            if tail in ("weight", "bias"):
                tail = f"{head[head.rfind('.') + 1 :]}.{tail}"
            found.setdefault(tail, []).append(name)
        return found

    def fits(self, signature: Signature, prefix: str = "") -> bool:
        """Whether all that `signature` requires stands in the file under `prefix`, and nothing that it excludes."""
        tensors = self.table.tensors
        return all(
            (entry := tensors.get(prefix + name)) is not None and _alike(entry.shape, pattern)
            for name, pattern in signature.requires.items()
        ) and not any(prefix + name in tensors for name in signature.absent)

    def first(self, fits: Callable[[str], bool], names: Iterable[str] | None = None) -> str | None:
        """The first tensor, in the order of the alphabet, whose name fits."""
        return min((name for name in names or self.table.tensors if fits(name)), default=None)

    def prefix(self, prefixes: Iterable[str], *, required: Iterable[str]) -> str | None:
        """The first of `prefixes` under which all `required` tensors stand."""
        wanted = tuple(required)
        return next((each for each in prefixes if all(each + name in self.table.tensors for name in wanted)), None)


@dataclass(frozen=True, slots=True)
class Known:
    """A value and why it is believed."""

    value: Any
    source: Source
    detail: str


@dataclass(frozen=True, slots=True)
class Claim:
    """What a kind reads in a file."""

    strength: int
    """How many required facts held; the claim with the most wins."""
    facts: Facts


def stated(kind: Kind, because: str, **known: Known | None) -> Facts:
    """Facts of a kind that the tensors show, with the evidence of each; what is not known is left out."""
    held = {"kind": Known(kind, Source.TENSORS, because), **{field: one for field, one in known.items() if one}}
    return Facts(
        **{field: one.value for field, one in held.items()},
        evidence={field: Evidence(one.source, one.detail) for field, one in held.items()},
    )


def _alike(shape: tuple[int, ...], pattern: Pattern) -> bool:
    return pattern is None or (
        len(shape) == len(pattern)
        and all(wanted in (None, length) for wanted, length in zip(pattern, shape, strict=True))
    )
