"""With what numbers a training computes."""

import torch

from inference.weights.number_types import PRECISIONS
from trainers.recipe import ComputeOptions

__all__ = ["dtype_of", "half_of"]


def dtype_of(options: ComputeOptions, device: torch.device) -> torch.dtype:
    """What the frozen base is kept in."""
    automatic = "bf16" if device.type == "cuda" else "fp32"
    return PRECISIONS[automatic if options.precision == "auto" else options.precision]


def half_of(options: ComputeOptions, device: torch.device) -> torch.dtype | None:
    """What parameters of full precision are computed in, None for full precision too."""
    dtype = dtype_of(options, device)
    return None if dtype == torch.float32 else dtype
