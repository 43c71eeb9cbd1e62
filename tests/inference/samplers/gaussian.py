"""A model whose right answers are known: data spread normally around a mean, and the best guess of it from noise."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

MEAN, SPREAD = 0.7, 0.5


class _Guess:
    """The expectation of x0 given x = x0 + sigma * noise; the negative prompt asks for the same."""

    def __call__(self, x: Tensor, sigma: float) -> Tensor:
        return (SPREAD**2 * x + sigma**2 * MEAN) / (SPREAD**2 + sigma**2)

    def apart(self, x: Tensor, sigma: float) -> tuple[Tensor, Tensor]:
        return self(x, sigma), self(x, sigma)


denoise = _Guess()


def flow(x: Tensor, sigma: float, following: float) -> Tensor:
    """Where the probability flow takes `x` from one noise level to the next, exactly."""
    return MEAN + (x - MEAN) * ((SPREAD**2 + following**2) / (SPREAD**2 + sigma**2)) ** 0.5


class Noise:
    """Fresh noise at every call; the way between two levels is one more of them."""

    def __init__(self, shape: Sequence[int], dtype: torch.dtype = torch.float32, seed: int = 0) -> None:
        self._generator = torch.Generator().manual_seed(seed)
        self._shape, self._dtype = shape, dtype

    def __call__(self) -> Tensor:
        return torch.randn(self._shape, generator=self._generator, dtype=self._dtype)

    def between(self, sigma: float, following: float) -> Tensor:
        return self()


def no_noise() -> Callable[[], Tensor]:
    """For samplers that must not ask for any."""

    def draw() -> Tensor:
        raise AssertionError("a deterministic sampler drew noise")

    return draw
