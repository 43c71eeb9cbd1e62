"""What a sampler is, and the ancestral step that several of them share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from torch import Tensor


__all__ = ["Denoise", "Draw", "Sampler", "Step", "ancestral_split"]

Denoise: TypeAlias = "Callable[[Tensor, float], Tensor]"
"""(x, sigma) -> the model's guess of x0, both [B, C, h, w]."""

Draw: TypeAlias = "Callable[[], Tensor]"
"""Fresh standard normal noise, [B, C, h, w]: each image's from its own generator."""


@dataclass(frozen=True, slots=True)
class Step:
    """The state after one step."""

    index: int
    x: Tensor
    """Latents at the next noise level."""
    denoised: Tensor
    """The guess of x0 that the step was made with: what a preview shows."""


class _Rule(Protocol):
    """The update rule: yields once per noise level; `sigmas` descend and end in 0.

    Coefficients are computed from Python floats before they meet a tensor, so no step waits for the device.
    """

    def __call__(self, denoise: Denoise, x: Tensor, sigmas: Sequence[float], draw: Draw) -> Iterator[Step]: ...


@dataclass(frozen=True, slots=True)
class Sampler:
    """One member of the registry."""

    name: str
    """As stable-diffusion-webui calls it; what stands in a picture's parameters."""
    aliases: tuple[str, ...]
    default_schedule: str
    sample: _Rule


def ancestral_split(sigma: float, following: float, eta: float = 1.0) -> tuple[float, float]:
    """Split the way to the next noise level: (sigma to denoise down to, sigma of the noise to add then).

    Their squares sum to the square of `following` (k-diffusion, `get_ancestral_step`).
    """
    up = min(following, eta * (following**2 * (sigma**2 - following**2) / sigma**2) ** 0.5)
    return (following**2 - up**2) ** 0.5, up
