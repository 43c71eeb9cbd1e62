"""What GPUs could do at most."""

import torch

__all__ = ["peak"]

_PEAKS = {"H200": 989e12, "H100": 989e12, "A100": 312e12}
"""GPU -> half-precision operations a second, dense, as its maker says."""


def peak(device: torch.device) -> float:
    """Operations a second; not a number for a GPU that is not in the table."""
    kind = torch.cuda.get_device_name(device)
    return next((most for known, most in _PEAKS.items() if known in kind), float("nan"))
