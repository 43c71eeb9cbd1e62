"""What a denoiser is asked for, by what it predicts."""

from collections.abc import Callable, Mapping

from torch import Tensor

__all__ = ["TARGETS"]


def _noise(latents: Tensor, noise: Tensor, signal: Tensor, spread: Tensor) -> Tensor:
    return noise


def _velocity(latents: Tensor, noise: Tensor, signal: Tensor, spread: Tensor) -> Tensor:
    """v = sqrt(abar) noise - sqrt(1 - abar) x0 (Salimans and Ho 2022, https://arxiv.org/abs/2202.00512)."""
    return signal * noise - spread * latents


def _flow(latents: Tensor, noise: Tensor, signal: Tensor, spread: Tensor) -> Tensor:
    """u = noise - x0, of x_t = (1 - t) x0 + t noise (Lipman et al. 2023, https://arxiv.org/abs/2210.02747)."""
    return noise - latents


TARGETS: Mapping[str, Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]] = {
    "epsilon": _noise, "v": _velocity, "flow": _flow,
}  # fmt: skip
"""Prediction type -> (x0, noise, share of the signal, share of the noise) -> target."""
