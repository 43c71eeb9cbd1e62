"""Strengths block by block, as webui's LoRA Block Weight extension counts the blocks of a UNet."""

import math
from collections.abc import Mapping, Sequence

from modelhub.errors import BadValue

__all__ = ["COUNTS", "PRESETS", "parse_blocks"]

_ALL = ("BASE", *(f"IN{at:02}" for at in range(12)), "M00", *(f"OUT{at:02}" for at in range(12)))
_SDXL = ("BASE", *(f"IN{at:02}" for at in range(9)), "M00", *(f"OUT{at:02}" for at in range(9)))
_WITH_ATTENTION = "BASE IN01 IN02 IN04 IN05 IN07 IN08 M00 OUT03 OUT04 OUT05 OUT06 OUT07 OUT08 OUT09 OUT10 OUT11"
_SDXL_WITH_ATTENTION = "BASE IN04 IN05 IN07 IN08 M00 OUT00 OUT01 OUT02 OUT03 OUT04 OUT05"
COUNTS: Mapping[int, Sequence[str]] = {
    12: _SDXL_WITH_ATTENTION.split(),
    17: _WITH_ATTENTION.split(),
    20: _SDXL,
    26: _ALL,
}
"""How many numbers there are -> the blocks that they are for; BASE is the text encoders, M00 the middle."""


def _between(first: str, last: str) -> tuple[float, ...]:
    span = _ALL[_ALL.index(first) : _ALL.index(last) + 1]
    return tuple(float(name in span) for name in _ALL)


PRESETS: Mapping[str, tuple[float, ...]] = {
    "ALL": _between("BASE", "OUT11"),
    "NONE": (0.0,) * len(_ALL),
    "INS": _between("BASE", "IN04"),
    "IND": _between("IN05", "IN11"),
    "INALL": _between("BASE", "IN11"),
    "MIDD": _between("IN05", "OUT06"),
    "OUTD": _between("OUT00", "OUT06"),
    "OUTS": _between("OUT07", "OUT11"),
    "OUTALL": _between("OUT00", "OUT11"),
}
"""The extension's own. It spells them for the 17 blocks of Stable Diffusion 1 that have attention; these are for all
26, so that they mean the same in SDXL."""


def parse_blocks(text: str) -> tuple[float, ...]:
    """From a preset's name, or from 12, 17, 20 or 26 numbers with commas between; raises `BadValue`."""
    if preset := PRESETS.get(text.strip().upper()):
        return preset
    try:
        numbers = tuple(float(one) for one in text.split(","))
    except ValueError:
        numbers = ()
    if len(numbers) not in COUNTS or not all(map(math.isfinite, numbers)):
        presets = ", ".join(PRESETS)
        raise BadValue(f"{text!r} is no strength of blocks", mend=f"write {presets}, or 17 numbers (SDXL: 12)")
    return numbers
