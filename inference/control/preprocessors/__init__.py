"""What makes a hint of a picture, one file each: an RGB array [H, W, 3], uint8, to another of its size (no torch)."""

import sys
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from inference.control.preprocessors._preprocessor import Preprocessor
from modelhub.errors import BadValue
from modelhub.registry import members

__all__ = ["Preprocessor", "find", "known"]


@cache
def known() -> Mapping[str, Preprocessor]:
    """Every preprocessor by its name."""
    found = (module.PREPROCESSOR for module in members(sys.modules[__name__]))
    return MappingProxyType({one.name: one for one in found})


def find(name: str) -> Preprocessor:
    """The preprocessor of that name; raises `BadValue` naming the known ones."""
    if name not in known():
        raise BadValue(f"{name!r} is no preprocessor ({', '.join(known())})", mend="modelhub generate --help")
    return known()[name]
