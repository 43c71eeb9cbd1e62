"""What a sampler is, and the few moves that several of them share."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from inference.schedules import AUTOMATIC, SigmaTable, sigmas

if TYPE_CHECKING:
    from torch import Tensor


__all__ = ["Denoise", "Draw", "Options", "Sampler", "Step", "ancestral_split", "churned", "euler"]


class Denoise(Protocol):
    """(x, sigma) -> the model's guess of x0, both [B, C, h, w]."""

    def __call__(self, x: Tensor, sigma: float) -> Tensor: ...

    def apart(self, x: Tensor, sigma: float) -> tuple[Tensor, Tensor]:
        """The guess, and that of the negative prompt alone."""


class Draw(Protocol):
    """Standard normal noise, [B, C, h, w]: each image's from its own generator."""

    def __call__(self) -> Tensor:
        """Fresh at every call."""

    def between(self, sigma: float, following: float) -> Tensor:
        """The way of a Brownian path from one noise level to another, scaled to deviation 1."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a request may say of the noise that samplers add; each takes what it knows."""

    eta: float | None = None
    """Share of fresh noise in ancestral and SDE steps; None is the sampler's own."""
    churn: float = 0.0
    """Noise added before the steps, over all of them (Karras et al. 2022, algorithm 2)."""
    churn_from: float = 0.0
    churn_to: float = math.inf
    """The noise levels between which `churn` acts."""
    noise: float = 1.0
    """Factor on all added noise."""


@dataclass(frozen=True, slots=True)
class Step:
    """The state after one step."""

    index: int
    """Of the levels' gaps, from 0, the last that is behind."""
    x: Tensor
    """Latents at the next noise level."""
    denoised: Tensor
    """The guess of x0 that the step was made with: what a preview shows."""


class _Rule(Protocol):
    """The update rule: yields once per noise level; `sigmas` descend and mostly end in 0.

    Coefficients are computed from Python floats before they meet a tensor, so no step waits for the device.
    """

    def __call__(
        self, denoise: Denoise, x: Tensor, sigmas: Sequence[float], draw: Draw, options: Options
    ) -> Iterator[Step]: ...


@dataclass(frozen=True, slots=True)
class Sampler:
    """One member of the registry."""

    name: str
    """As stable-diffusion-webui calls it; what stands in a picture's parameters."""
    aliases: tuple[str, ...]
    default_schedule: str
    """`AUTOMATIC` for those with noise levels of their own."""
    sample: _Rule
    grid: Callable[[SigmaTable, int], list[float]] | None = None
    """Noise levels of its own for a number of steps."""
    only_grid: bool = False
    """Its rule holds on no other levels, so it takes no schedule."""
    discards: bool = False
    """The last level but one is left out (webui: discard_next_to_last_sigma)."""
    calls: int = 1
    """Of the model per step, the closing one apart: prompt schedules count them."""
    guidance: float = 1.0
    """Factor on the CFG scale."""
    unit_start: bool = False
    """Starts from noise of deviation 1 in variance-preserving terms, as webui's timestep samplers do."""
    adaptive: bool = False
    """Chooses its steps from the picture, reading one number each: images are drawn one at a time."""
    through: Callable[[Denoise, SigmaTable], Denoise] | None = None
    """How it asks the model, where that is not plainly."""
    over: Callable[[SigmaTable, int, int], tuple[float, list[float]]] | None = None
    """(table, steps, reached) -> the deviation of the noise that is laid over latents, and the levels then gone down,
    for those whose way is not simply the schedule's end; `reached` counts webui's steps from the schedule's end."""

    def levels(self, schedule: str, table: SigmaTable, steps: int) -> list[float]:
        """The noise levels to sample at, as `inference.schedules.sigmas` gives them."""
        if self.grid and schedule == AUTOMATIC:
            return self.grid(table, steps)
        if self.discards or table.overrides.discard:
            levels = sigmas(schedule, table, steps + 1)
            return [*levels[:-2], levels[-1]]
        return sigmas(schedule, table, steps)

    def start(self, levels: Sequence[float]) -> float:
        """Deviation of the noise that a picture is taken from."""
        return math.hypot(levels[0], 1.0) if self.unit_start else levels[0]

    def asking(self, denoise: Denoise, table: SigmaTable) -> Denoise:
        """The model as this sampler asks it: what its rule is given."""
        return self.through(denoise, table) if self.through else denoise


def ancestral_split(sigma: float, following: float, eta: float = 1.0) -> tuple[float, float]:
    """Split the way to the next noise level: (sigma to denoise down to, sigma of the noise to add then).

    Their squares sum to the square of `following` (k-diffusion, `get_ancestral_step`).
    """
    up = min(following, eta * (following**2 * (sigma**2 - following**2) / sigma**2) ** 0.5)
    return (following**2 - up**2) ** 0.5, up


def churned(x: Tensor, sigma: float, steps: int, draw: Draw, options: Options) -> tuple[Tensor, float]:
    """The latents and their noise level after churn; without churn nothing is drawn."""
    if not options.churn:
        return x, sigma
    noise = draw()
    if not options.churn_from <= sigma <= options.churn_to:
        return x, sigma
    raised = sigma * (1 + min(options.churn / steps, 2**0.5 - 1))
    return x + noise * (options.noise * (raised**2 - sigma**2) ** 0.5), raised


def euler(x: Tensor, denoised: Tensor, sigma: float, following: float) -> Tensor:
    """x + d (sigma' - sigma), with d = (x - D) / sigma; that is D + (x - D) sigma' / sigma, which cancels nothing."""
    return denoised.lerp(x, following / sigma)
