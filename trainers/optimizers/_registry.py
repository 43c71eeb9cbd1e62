"""Finds an optimizer by the name that a recipe has for it."""

from collections.abc import Mapping
from types import MappingProxyType

import trainers.optimizers as package
from modelhub.errors import BadValue
from modelhub.registry import members
from trainers.optimizers._nouns import OptimizerKind

__all__ = ["KINDS", "optimizer_kind"]


def _found() -> dict[str, OptimizerKind]:
    return {name: kind for member in members(package) for name, kind in member.KINDS.items()}


KINDS: Mapping[str, OptimizerKind] = MappingProxyType(_found())
"""Every name that a recipe may have."""


def optimizer_kind(name: str) -> OptimizerKind:
    """The optimizer of that name, however it is capitalised; raises `BadValue` naming those there are."""
    known = {one.lower(): kind for one, kind in KINDS.items()}
    if name.lower() not in known:
        raise BadValue(f"there is no optimizer {name!r}", mend=f"choose one of {', '.join(KINDS)}")
    return known[name.lower()]
