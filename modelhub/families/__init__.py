"""Model families, one file each: facts only, so that no torch is needed to know them."""

import sys
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from modelhub.errors import BadValue
from modelhub.families._family import (
    Family,
    Latent,
    NamedVariant,
    NoiseSchedule,
    Pattern,
    PredictionTest,
    Signature,
    UNet,
    UNetVariant,
)
from modelhub.registry import members

__all__ = ["Family", "Latent", "NamedVariant", "NoiseSchedule", "Pattern", "PredictionTest", "Signature", "UNet"]
__all__ += ["UNetVariant", "family", "known"]


@cache
def known() -> Mapping[str, Family]:
    """Every family by its name."""
    found = (module.FAMILY for module in members(sys.modules[__name__]))
    return MappingProxyType({one.name: one for one in found})


def family(name: str) -> Family:
    """The family called `name`; raises `BadValue` naming the known ones."""
    try:
        return known()[name]
    except KeyError:
        raise BadValue(f"{name!r} is no model family that we know ({', '.join(known())})") from None
