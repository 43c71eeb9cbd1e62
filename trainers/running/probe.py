"""How fast a device computes: measured in a moment, before anything is loaded."""

import time

import torch

__all__ = ["training_speed"]

_SECONDS = 0.15
_REACHED = {"cpu": 0.5, "cuda": 0.35}
"""Share of its bare multiplications that a training comes to; a rule of thumb."""


def training_speed(device: torch.device) -> float:
    """Operations a second that a training may count on."""
    is_cpu = device.type == "cpu"
    side, dtype = (768, torch.float32) if is_cpu else (4096, torch.bfloat16)
    matrix = torch.ones(side, side, device=device, dtype=dtype)
    matrix @ matrix
    _wait(device)
    began, products = time.perf_counter(), 0
    while (spent := time.perf_counter() - began) < _SECONDS:
        matrix @ matrix
        products += 1
        _wait(device)
    return _REACHED.get(device.type, 0.3) * products * 2 * side**3 / spent


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
