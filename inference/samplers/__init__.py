"""Samplers, one file each: how a picture is taken from noise, one noise level at a time."""

import sys
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from inference.samplers._sampler import Denoise, Draw, Options, Sampler, Step
from inference.schedules import AUTOMATIC, SCHEDULE_ALIASES, SCHEDULES
from modelhub.errors import BadValue
from modelhub.registry import members

__all__ = ["Denoise", "Draw", "Options", "Sampler", "Step", "find", "known"]


@cache
def known() -> Mapping[str, Sampler]:
    """Every sampler by its name."""
    found = (module.SAMPLER for module in members(sys.modules[__name__]))
    return MappingProxyType({one.name: one for one in found})


def find(name: str, schedule: str = AUTOMATIC) -> tuple[Sampler, str]:
    """The sampler and the schedule that the two names mean; raises `BadValue` naming the known ones.

    A schedule may stand behind the sampler's name, as in "DPM++ 2M Karras"; "Automatic" takes the one that the
    sampler is best known with, and stays where a sampler has noise levels of its own.
    """
    by_any_name = {alias: one for one in known().values() for alias in (one.name, *one.aliases)}
    schedule = SCHEDULE_ALIASES.get(schedule, schedule)
    if name not in by_any_name:
        name, schedule = _split(name, schedule)
    if name not in by_any_name:
        raise BadValue(f"{name!r} is no sampler ({', '.join(known())})")
    if schedule not in (AUTOMATIC, *SCHEDULES):
        raise BadValue(f"{schedule!r} is no schedule ({', '.join([AUTOMATIC, *SCHEDULES])})")
    sampler = by_any_name[name]
    if sampler.only_grid and schedule != AUTOMATIC:
        raise BadValue(
            f"{sampler.name} has noise levels of its own, so it takes no schedule {schedule!r}",
            mend=f'modelhub generate ... --sampler "{sampler.name}" --schedule {AUTOMATIC}',
        )
    return sampler, sampler.default_schedule if schedule == AUTOMATIC else schedule


def _split(name: str, schedule: str) -> tuple[str, str]:
    """The longest schedule's name that ends the text, apart from the rest; one that was given by itself goes first."""
    for ending in sorted({*SCHEDULES, *SCHEDULE_ALIASES}, key=len, reverse=True):
        if name.endswith(f" {ending}") and schedule == AUTOMATIC:
            return name.removesuffix(f" {ending}"), SCHEDULE_ALIASES.get(ending, ending)
    return name, schedule
