"""What both torch and a safetensors file can hold."""

import torch
from torch import Tensor

__all__ = ["PRECISIONS", "TYPES", "raw", "type_name"]

TYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "F8_E4M3": torch.float8_e4m3fn,
    "F8_E5M2": torch.float8_e5m2,
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U64": torch.uint64,
    "U32": torch.uint32,
    "U16": torch.uint16,
    "U8": torch.uint8,
    "BOOL": torch.bool,
    "C64": torch.complex64,
}
"""As safetensors spells a type -> torch's own."""

PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
"""As people call what weights are computed and kept in -> torch's type."""


def type_name(tensor: Tensor) -> str:
    """As safetensors spells it."""
    return next(name for name, dtype in TYPES.items() if dtype == tensor.dtype)


def raw(tensor: Tensor) -> Tensor:
    """The bytes of a contiguous tensor, as they lie."""
    flat = torch.view_as_real(tensor) if tensor.is_complex() else tensor
    return flat.reshape(-1).view(torch.uint8)
