"""What a denoiser is asked for: noised latents, target and loss weights (pure tensor functions)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from modelhub.errors import BadValue

__all__ = ["TARGETS", "Objective"]


def _noise(latents: Tensor, noise: Tensor, signal: Tensor, spread: Tensor) -> Tensor:
    return noise


def _velocity(latents: Tensor, noise: Tensor, signal: Tensor, spread: Tensor) -> Tensor:
    """v = sqrt(abar) noise - sqrt(1 - abar) x0 (Salimans and Ho 2022, https://arxiv.org/abs/2202.00512)."""
    return signal * noise - spread * latents


TARGETS: Mapping[str, Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]] = {"epsilon": _noise, "v": _velocity}
"""Prediction type -> (x0, noise, sqrt(abar), sqrt(1 - abar)) -> target."""


@dataclass(frozen=True, slots=True)
class Objective:
    """One prediction type over one noise schedule."""

    prediction: str
    sigmas: Tensor
    """Of every training timestep, ascending, [T], float32."""
    min_snr_gamma: float | None

    def __post_init__(self) -> None:
        if self.prediction not in TARGETS:
            raise BadValue(f"there is no training for prediction type {self.prediction!r} ({', '.join(TARGETS)})")

    def noised(self, latents: Tensor, noise: Tensor, timesteps: Tensor) -> Tensor:
        """x_t = sqrt(abar) x0 + sqrt(1 - abar) noise, [B, C, h, w]."""
        signal, spread = self._shares(timesteps)
        return signal * latents + spread * noise

    def losses(self, output: Tensor, latents: Tensor, noise: Tensor, timesteps: Tensor) -> Tensor:
        """Weighted squared errors, [B]: mean over each sample's elements, times its weight."""
        target = TARGETS[self.prediction](latents, noise, *self._shares(timesteps))
        errors = (output.float() - target.float()).square().flatten(1).mean(1)
        return errors * self.weights(timesteps)

    def weights(self, timesteps: Tensor) -> Tensor:
        """min-SNR weights, [B] (Hang et al. 2023, https://arxiv.org/abs/2303.09556).

        min(snr, gamma) / snr for epsilon, min(snr, gamma) / (snr + 1) for v; ones without gamma.
        """
        snr = self.sigmas[timesteps] ** -2
        if self.min_snr_gamma is None:
            return torch.ones_like(snr)
        return snr.clamp(max=self.min_snr_gamma) / (snr if self.prediction == "epsilon" else snr + 1)

    def _shares(self, timesteps: Tensor) -> tuple[Tensor, Tensor]:
        """sqrt(abar) and sqrt(1 - abar) of each sample, [B, 1, 1, 1]: sigma is their ratio, and they square to 1."""
        sigma = self.sigmas[timesteps][:, None, None, None]
        signal = (sigma**2 + 1) ** -0.5
        return signal, sigma * signal
