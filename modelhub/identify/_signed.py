"""Networks known by a few tensors that no other has: the kinds below LoRAs and checkpoints are tables of these."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from modelhub.families import Pattern, Signature
from modelhub.identify._known import Known, WeightFile
from modelhub.kinds import Source

__all__ = ["Net", "Shelf"]


@dataclass(frozen=True, slots=True)
class Net:
    """One architecture in one tool's names."""

    algorithm: str
    requires: Mapping[str, Pattern]
    """As in `Signature`; the first of them is the rarest."""
    absent: tuple[str, ...] = ()
    layout: str = "native"
    family: str | None = None
    """Where nobody made it for another family."""
    variants: Mapping[str, tuple[str, Pattern]] = field(default_factory=dict)
    """Variant -> the tensor and its shape that mark it."""

    def stands_in(self, file: WeightFile, prefix: str) -> bool:
        return file.fits(Signature(self.algorithm, self.requires, self.absent), prefix)

    def variant(self, file: WeightFile, prefix: str) -> Known | None:
        """The first variant whose mark stands in the file."""
        for name, (tensor, pattern) in self.variants.items():
            if file.fits(Signature(name, {tensor: pattern}), prefix):
                return Known(name, Source.TENSORS, f"{prefix}{tensor} is {file.table.shape(prefix + tensor)}")
        return None


@dataclass(frozen=True)
class Shelf:
    """The nets of a kind, particular ones before general ones."""

    nets: Sequence[Net]
    prefixes: tuple[str, ...] = ("",)
    """What tools put before all names."""

    def find(self, file: WeightFile) -> tuple[Net, str] | None:
        """The first net that stands in the file, and under which prefix."""
        if not file.table.tensors.keys() & self._rarest:
            return None
        places = ((net, prefix) for net in self.nets for prefix in self.prefixes)
        return next(((net, prefix) for net, prefix in places if net.stands_in(file, prefix)), None)

    @cached_property
    def _rarest(self) -> frozenset[str]:
        return frozenset(prefix + next(iter(net.requires)) for net in self.nets for prefix in self.prefixes)
