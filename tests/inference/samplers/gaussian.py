"""A model whose right answers are known: data spread normally around a mean, and the best guess of it from noise."""

from collections.abc import Callable

from torch import Tensor

MEAN, SPREAD = 0.7, 0.5


def denoise(x: Tensor, sigma: float) -> Tensor:
    """The expectation of x0 given x = x0 + sigma * noise."""
    return (SPREAD**2 * x + sigma**2 * MEAN) / (SPREAD**2 + sigma**2)


def flow(x: Tensor, sigma: float, following: float) -> Tensor:
    """Where the probability flow takes `x` from one noise level to the next, exactly."""
    return MEAN + (x - MEAN) * ((SPREAD**2 + following**2) / (SPREAD**2 + sigma**2)) ** 0.5


def no_noise() -> Callable[[], Tensor]:
    """For samplers that must not ask for any."""

    def draw() -> Tensor:
        raise AssertionError("a deterministic sampler drew noise")

    return draw
