"""Random hypernetworks as stable-diffusion-webui saves them."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from inference.weights.convert import convert, plan_conversion
from modelhub.jobs import drain

__all__ = ["saved", "write_converted"]


def saved(*widths: int, activated: bool = True, norms: bool = False, seed: int = 0, **said: Any) -> dict[Any, Any]:
    """Nets [1, 2, 1] for each width; `activated` leaves the activations' places free, as their module numbers do."""
    generator = torch.Generator().manual_seed(seed)
    return {width: tuple(_net(width, activated, norms, generator) for _ in range(2)) for width in widths} | said


def write_converted(path: Path, *widths: int, **how: Any) -> Path:
    """A safetensors file, by way of a pickle beside it."""
    pickle = path.with_suffix(".pt")
    torch.save(saved(*widths, **how), pickle)
    drain(convert(plan_conversion(pickle), path))
    return path


def _net(width: int, activated: bool, norms: bool, generator: torch.Generator) -> dict[str, Tensor]:
    tensors: dict[str, Tensor] = {}
    place = 0
    for ins, outs in ((width, 2 * width), (2 * width, width)):
        tensors[f"linear.{place}.weight"] = torch.randn(outs, ins, generator=generator) / ins**0.5
        tensors[f"linear.{place}.bias"] = torch.randn(outs, generator=generator)
        place += 1 + activated
        if norms:
            tensors[f"linear.{place}.weight"] = 1 + 0.1 * torch.randn(outs, generator=generator)
            tensors[f"linear.{place}.bias"] = 0.1 * torch.randn(outs, generator=generator)
            place += 1
    return tensors
