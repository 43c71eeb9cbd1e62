"""The words that identification speaks: a file, a fact with its reason, a claim."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from modelhub.families import Pattern, Signature
from modelhub.headers import TensorTable
from modelhub.identify._header import Header
from modelhub.kinds import Evidence, Facts, Kind, Source

__all__ = ["Claim", "Denoiser", "Known", "WeightFile", "stated"]

_PACKED = "U8"
"""Several weights in a byte: such a shape tells no width."""


_LOOKED_AT = 18
"""Characters of a tensor's name that tell its ending, unless that is longer."""


@dataclass(frozen=True)
class WeightFile:
    """All that a file is identified from. Every kind asks it, so it answers from indexes that are made once."""

    table: TensorTable
    header: Header
    name: str
    """Stem of the file's name."""
    read: Callable[[str], bytes] | None = None
    """Gives the bytes of one tensor; None where only the table is at hand."""

    @cached_property
    def endings(self) -> Mapping[str, Sequence[str]]:
        """Last part of a tensor's dotted name (the last two where it ends in weight or bias) -> all such names."""
        found: dict[str, list[str]] = {}
        alike: dict[str, list[str]] = {}
        for name in self.table.tensors:
            last = name[-_LOOKED_AT:]
            group = alike.get(last)
            if group is None:
                ending = _ending(name)
                group = found.setdefault(ending, [])
                if len(ending) < len(last):  # the dot before it is among the characters that were looked at
                    alike[last] = group
            group.append(name)
        return found

    @cached_property
    def fronts(self) -> Collection[str]:
        """First part of every tensor's dotted name."""
        return {name.partition(".")[0] for name in self.table.tensors}

    def fits(self, signature: Signature, prefix: str = "") -> bool:
        """Whether all that `signature` requires stands in the file under `prefix`, and nothing that it excludes."""
        tensors = self.table.tensors
        return all(
            (entry := tensors.get(prefix + name)) is not None and _alike(entry.shape, pattern)
            for name, pattern in signature.requires.items()
        ) and not any(prefix + name in tensors for name in signature.absent)

    def columns(self, name: str) -> int | None:
        """Second side of a matrix; None where there is none of that name, or its weights are packed."""
        entry = self.table.tensors.get(name)
        return entry.shape[1] if entry and len(entry.shape) == 2 and entry.dtype != _PACKED else None

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
class Denoiser:
    """The part of a model that predicts: a UNet or a diffusion transformer, as a file shows it."""

    what: str
    layout: str
    """Whose names its tensors bear: ``ldm``, ``native`` (its authors') or ``diffusers``."""
    prefix: str
    strength: int
    """How many facts held by which it is known."""
    family: Known | None
    variant: Known | None
    context_width: Known | None
    takes_latents_only: bool
    """Whether nothing but four channels of latents enters it."""


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


def _ending(name: str) -> str:
    head, _, tail = name.rpartition(".")
    return f"{head.rpartition('.')[2]}.{tail}" if tail in ("weight", "bias") else tail


def _alike(shape: tuple[int, ...], pattern: Pattern) -> bool:
    return pattern is None or (
        len(shape) == len(pattern)
        and all(wanted in (None, length) for wanted, length in zip(pattern, shape, strict=True))
    )
