"""What a model predicts, and down to which signal it was trained: by its header, marker tensors, or values."""

import math
import struct
from statistics import pstdev

from modelhub.families import Family, PredictionTest
from modelhub.identify._known import Denoiser, Known, WeightFile
from modelhub.kinds import Source

__all__ = ["prediction_by_values", "prediction_type", "zero_snr"]

_MARKERS = {"edm_vpred.sigma_max": "edm_v", "edm_mean": "edm", "v_pred": "v"}
"""Tensors that tools put beside the weights to say what is predicted, the most telling first."""
_FEW = 1 << 16
"""Numbers that are still a small tensor."""
_CODES = {"F16": "e", "F32": "f", "F64": "d"}


def prediction_type(file: WeightFile) -> Known | None:
    """``epsilon``, ``v``, ``edm``, ... where the file tells; otherwise the family's default holds."""
    said = file.header.prediction_type()
    if said and said.meaning:
        return Known(said.meaning, Source.HEADER, f"{said.key} is {said.text}")
    for marker, meaning in _MARKERS.items():
        if marker in file.table.tensors:
            return Known(meaning, Source.TENSORS, f"it holds the marker tensor {marker}")
    return None


def zero_snr(file: WeightFile) -> Known | None:
    """True where the file says that it was trained down to zero terminal signal; no file says the contrary."""
    if "ztsnr" in file.table.tensors:
        return Known(True, Source.TENSORS, "it holds the marker tensor ztsnr")
    said = file.header.zero_snr()
    return Known(True, Source.HEADER, f"{said.key} is {said.text}") if said else None


def prediction_by_values(file: WeightFile, denoiser: Denoiser, family: Family | None) -> Known | None:
    """For a family whose shapes leave it open: its steps of training tell, or the values of one small tensor."""
    test = family.prediction_test if family else None
    if test is None or not denoiser.takes_latents_only:
        return None
    steps = file.table.metadata.get("global_step", "")
    if steps in test.steps:
        return Known(test.steps[steps], Source.HEADER, f"global_step is {steps}")
    return _by_spread(file, denoiser, test)


def _by_spread(file: WeightFile, denoiser: Denoiser, test: PredictionTest) -> Known | None:
    name = denoiser.prefix + test.tensors.get(denoiser.layout, "")
    values = _values(file, name)
    if not values:
        return None
    spread = pstdev(values)
    meaning = "v" if spread > test.spread else "epsilon"
    return Known(meaning, Source.TENSORS, f"{name} spreads by {spread:.3f}, v by more than {test.spread}")


def _values(file: WeightFile, name: str) -> list[float]:
    """One small tensor's values, where they can be read and are finite; else nothing."""
    entry = file.table.tensors.get(name)
    if entry is None or file.read is None or math.prod(entry.shape) > _FEW:
        return []
    values = _numbers(file.read(name), entry.dtype)
    return values if all(map(math.isfinite, values)) else []


def _numbers(packed: bytes, dtype: str) -> list[float]:
    """Little-endian floats; bfloat16 is float32's upper half."""
    if dtype == "BF16":
        halves = (packed[at : at + 2] for at in range(0, len(packed) - 1, 2))
        packed, dtype = b"".join(b"\0\0" + half for half in halves), "F32"
    code = _CODES.get(dtype)
    if code is None or len(packed) % struct.calcsize(code):
        return []
    return [number for (number,) in struct.iter_unpack(f"<{code}", packed)]
