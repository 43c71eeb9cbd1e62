"""Samplers, one file each: how a picture is taken from noise, one noise level at a time."""

import sys
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from inference.samplers._sampler import Denoise, Draw, Sampler, Step
from inference.schedules import AUTOMATIC, SCHEDULES
from modelhub.errors import BadValue
from modelhub.registry import members

__all__ = ["Denoise", "Draw", "Sampler", "Step", "find", "known"]


@cache
def known() -> Mapping[str, Sampler]:
    """Every sampler by its name."""
    found = (module.SAMPLER for module in members(sys.modules[__name__]))
    return MappingProxyType({one.name: one for one in found})


def find(name: str, schedule: str = AUTOMATIC) -> tuple[Sampler, str]:
    """The sampler and the schedule that the two names mean; raises `BadValue` naming the known ones.

    A schedule may stand behind the sampler's name, as in "DPM++ 2M Karras"; "Automatic" takes the one that the
    sampler is best known with.
    """
    for ending in SCHEDULES:
        if name.endswith(f" {ending}") and schedule == AUTOMATIC:
            name, schedule = name.removesuffix(f" {ending}"), ending
    by_any_name = {alias: one for one in known().values() for alias in (one.name, *one.aliases)}
    if name not in by_any_name:
        raise BadValue(f"{name!r} is no sampler ({', '.join(known())})")
    if schedule not in (AUTOMATIC, *SCHEDULES):
        raise BadValue(f"{schedule!r} is no schedule ({', '.join([AUTOMATIC, *SCHEDULES])})")
    sampler = by_any_name[name]
    return sampler, sampler.default_schedule if schedule == AUTOMATIC else schedule
