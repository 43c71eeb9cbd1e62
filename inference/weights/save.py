"""Writes safetensors files whole, and the same bytes for the same content."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from modelhub.headers import write_table
from modelhub.workspace import publish

__all__ = ["save_tensors", "tensor_digest"]

_NAMES = {
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.float64: "F64",
    torch.float8_e4m3fn: "F8_E4M3",
    torch.float8_e5m2: "F8_E5M2",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}


def save_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    """Write `tensors` to `path`, replacing what stood there only when all is on the disk."""
    rows = ((name, _NAMES[tensor.dtype], tuple(tensor.shape), _bytes(tensor)) for name, tensor in tensors.items())
    with publish(path) as part, part.open("wb") as file:
        write_table(file, rows, metadata)


def tensor_digest(tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 of the tensors as `save_tensors` lays them out: of the file without its header, as hex."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(_bytes(tensors[name]))
    return digest.hexdigest()


def _bytes(tensor: Tensor) -> memoryview:
    flat = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
    return memoryview(flat.numpy())  # type: ignore[arg-type]  # an array is a buffer
