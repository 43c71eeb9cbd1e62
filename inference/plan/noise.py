"""The noise levels of one model: by what it predicts, and by what its file says of them."""

import math
import struct
from collections.abc import Mapping
from pathlib import Path

from inference.levels import ALIGNED, EvenLogs, FlowTime, Overrides, SigmaTable
from inference.request import GenerationRequest
from modelhub.errors import BadValue, Incompatible
from modelhub.families import Family
from modelhub.headers import TensorTable, read_tensor

__all__ = ["check_levels", "noise_range", "sigma_table", "wanted_levels"]

_RANGES: Mapping[str, tuple[float, float]] = {"edm": (0.002, 80.0), "edm_v": (0.002, 120.0)}
"""Prediction type -> smallest and largest sigma, where no file says otherwise."""
_MARKERS = ("edm_vpred.sigma_min", "edm_vpred.sigma_max")
_CODES = {"F16": "<e", "F32": "<f", "F64": "<d"}


def sigma_table(
    family: Family, prediction: str, *, zero_snr: bool, noise_range: tuple[float, float] | None
) -> SigmaTable:
    """Raises `Incompatible` for a family of other noise."""
    aligned = ALIGNED.get(family.name, SigmaTable.aligned)
    if prediction in _RANGES:
        return SigmaTable(EvenLogs(*(noise_range or _RANGES[prediction])), aligned=aligned)
    if prediction == "flow":
        return SigmaTable(FlowTime(), aligned=aligned)
    if family.noise is None:
        raise Incompatible(f"{family.title} models have no noise schedule to sample from")
    return SigmaTable(family.noise, zero_snr, aligned)


def noise_range(path: Path, table: TensorTable) -> tuple[float, float] | None:
    """The smallest and largest sigma that a file's marker tensors hold; None where it has none, or they are odd."""
    if not all(name in table.tensors for name in _MARKERS):
        return None
    smallest, largest = (_number(read_tensor(path, table, name), table.tensors[name].dtype) for name in _MARKERS)
    return (smallest, largest) if 0 < smallest < largest < math.inf else None


def wanted_levels(request: GenerationRequest, table: SigmaTable) -> SigmaTable:
    """A model's levels as the request wants them."""
    ends = Overrides(request.sigma_min, request.sigma_max, request.rho, request.discard_next_to_last)
    return table.overridden(ends, request.shift)


def check_levels(request: GenerationRequest, table: SigmaTable) -> None:
    """Raises `BadValue` for what the model's noise cannot be: `request` has its schedule's name already."""
    wanted = wanted_levels(request, table)
    if wanted.smallest >= wanted.largest:
        raise BadValue(
            f"noise from {wanted.largest:g} down to {wanted.smallest:g} is no way down: the model's own ends are "
            f"{table.largest:g} and {table.smallest:g}",
            mend="modelhub generate ... with a smaller --sigma-min or a larger --sigma-max",
        )
    if request.shift and not table.flows:
        raise BadValue(
            "a shift is for flow models, and this model is none", mend="modelhub generate ... without --shift"
        )
    if request.schedule == "Align Your Steps" and table.flows:
        raise BadValue(
            '"Align Your Steps" was found for other noise than a flow\'s',
            mend="modelhub generate ... --schedule Beta",
        )


def _number(packed: bytes, dtype: str) -> float:
    """A tensor's only number; 0 for what is none."""
    if dtype == "BF16":
        packed, dtype = b"\0\0" + packed, "F32"
    code = _CODES.get(dtype)
    if code is None or len(packed) != struct.calcsize(code):
        return 0.0
    number: float = struct.unpack(code, packed)[0]
    return number
