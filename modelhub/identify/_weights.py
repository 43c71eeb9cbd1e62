"""How a file's weights are stored: as plain numbers, or quantised by one of the known tools."""

from collections.abc import Mapping
from operator import attrgetter

from modelhub.identify._known import Known, WeightFile
from modelhub.kinds import Source

__all__ = ["precision"]

_SCALED = ("scaled_fp8", "scale_weight", "weight_scale", "comfy_quant")
_PACKED = {"bitsandbytes__nf4": "bnb-nf4", "bitsandbytes__fp4": "bnb-fp4", "comfy_quant": "{}-scaled"}
_TOOLS: Mapping[str, Mapping[str, str]] = {
    "F8_E4M3": dict.fromkeys(_SCALED, "{}-scaled"),
    "F8_E5M2": dict.fromkeys(_SCALED, "{}-scaled"),
    "U8": _PACKED,
    "I8": _PACKED,
}
"""Type of the weights -> ending of the names beside them -> what such weights are called; ``{}`` is their type."""


_DTYPE = attrgetter("dtype")


def precision(file: WeightFile) -> Known | None:
    """The type that most bytes of a file's tensors have."""
    dtypes = set(map(_DTYPE, file.table.tensors.values()))
    if not dtypes:
        return None
    most, detail = _most(file) if len(dtypes) > 1 else (*dtypes, "all of its tensors are {}")
    detail = detail.format(most)
    quantised = _quantised(file, most)
    if quantised is None:
        return Known(most, Source.TENSORS, detail)
    name, beside = quantised
    return Known(name, Source.TENSORS, f"{detail}, with {beside} beside them")


def _most(file: WeightFile) -> tuple[str, str]:
    """The type with the most bytes, and how to say so."""
    sizes: dict[str, int] = {}
    for entry in file.table.tensors.values():
        start, end = entry.span
        sizes[entry.dtype] = sizes.get(entry.dtype, 0) + end - start
    most = max(sizes, key=lambda dtype: sizes[dtype])
    return most, f"{sizes[most] / max(1, sum(sizes.values())):.0%} of its bytes are {{}}"


def _quantised(file: WeightFile, dtype: str) -> tuple[str, str] | None:
    """What a tool calls such weights, and a tensor that shows the tool."""
    for ending, name in _TOOLS.get(dtype, {}).items():
        if ending in file.endings:
            return name.format(dtype), file.endings[ending][0]
    scales = file.endings.get("scale", ()) if dtype in ("U8", "I8") else ()
    weights = ((name, file.table.tensors.get(f"{name.removesuffix('.scale')}.weight")) for name in scales)
    shown = next((name for name, weight in weights if weight is not None and weight.dtype == dtype), None)
    return ("sdnq", shown) if shown else None
