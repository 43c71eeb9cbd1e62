"""The UNet as the function that samplers call: (x, sigma) -> x0, with classifier-free guidance."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from inference.schedules import SigmaTable
from modelhub.errors import BadValue

__all__ = ["PREDICTIONS", "Denoiser"]


def _from_epsilon(x: Tensor, output: Tensor, sigma: float) -> Tensor:
    """The model predicts the noise: x0 = x - sigma * eps."""
    return x - output * sigma


def _from_v(x: Tensor, output: Tensor, sigma: float) -> Tensor:
    """The model predicts v = sqrt(abar) eps - sqrt(1 - abar) x0 (Salimans and Ho 2022)."""
    spread = math.hypot(sigma, 1.0)
    return x / spread**2 - output * (sigma / spread)


PREDICTIONS: Mapping[str, Callable[[Tensor, Tensor, float], Tensor]] = {"epsilon": _from_epsilon, "v": _from_v}
"""Prediction type -> (x, model output, sigma) -> x0."""


@dataclass(frozen=True, slots=True)
class Denoiser:
    """One batch's denoiser; a call runs the UNet once, on the images with and without the prompt together."""

    unet: nn.Module
    table: SigmaTable
    prediction: str
    cond: Tensor
    """Encodings of the prompts, [B, tokens, width]."""
    uncond: Tensor
    """Encodings of the negative prompts, of the same shape."""
    guidance: float
    """CFG scale; at 1 the negative prompt has no part in the result, and is not evaluated."""

    def __post_init__(self) -> None:
        if self.prediction not in PREDICTIONS:
            raise BadValue(f"{self.prediction!r} is no prediction type ({', '.join(PREDICTIONS)})")

    @torch.inference_mode()
    def __call__(self, x: Tensor, sigma: float) -> Tensor:
        if self.guidance == 1.0:
            return self._predict(x, sigma, self.cond)
        both = self._predict(torch.cat([x, x]), sigma, torch.cat([self.uncond, self.cond]))
        without, with_prompt = both.chunk(2)
        return without + (with_prompt - without) * self.guidance

    def _predict(self, x: Tensor, sigma: float, context: Tensor) -> Tensor:
        scaled = (x / math.hypot(sigma, 1.0)).to(context.dtype)
        timestep = torch.full((len(x),), self.table.timestep(sigma), device=x.device)
        output = self.unet(scaled, timestep, context, return_dict=False)[0]
        return PREDICTIONS[self.prediction](x, output.float(), sigma)
