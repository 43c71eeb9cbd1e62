"""A UNet as the function (x, sigma, what is said) -> x0, with all that goes into it beside the latents."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from inference.conditioning.encoding import Encoding
from inference.objectives import Objective

__all__ = ["Asked", "Control", "Model", "Residuals"]


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """One question to a model: some rows at one noise level."""

    x: Tensor
    """Latents, [R, C, h, w]."""
    sigma: float
    said: Encoding
    """A row each, [R, ...]."""
    call: int
    """Which of the pass's calls this is, from 0."""
    negative: int = 0
    """So many of the first rows are the negative prompt's."""
    beside: Tensor | None = None
    """[1, B or R, C', h, w]: channels that go in after the latents: an inpainting checkpoint's mask and picture."""


@dataclass(frozen=True, slots=True, eq=False)
class Residuals:
    """What a ControlNet adds to a UNet's skip connections and to its middle."""

    down: Sequence[Tensor]
    middle: Tensor


class Control(Protocol):
    """A ControlNet with its hint: asked whenever the model is."""

    def __call__(self, asked: Asked, scaled: Tensor, timestep: Tensor) -> Residuals | None:
        """None where it does not act; `scaled` are the latents as the UNet sees them."""


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A UNet and how it is asked."""

    unet: nn.Module
    objective: Objective
    controls: tuple[Control, ...] = ()

    @torch.inference_mode()
    def __call__(self, asked: Asked) -> Tensor:
        """x0, [R, C, h, w], float32."""
        dtype = asked.said.tokens.dtype
        scaled = self.objective.scaled(asked.x, asked.sigma).to(dtype)
        timestep = torch.full(scaled.shape[:1], self.objective.timestep(asked.sigma), device=scaled.device)
        beside = self._added(asked, scaled, timestep)
        if asked.beside is not None:
            rows = asked.beside.repeat(len(scaled) // len(asked.beside), 1, 1, 1)
            scaled = torch.cat([scaled, rows.to(dtype)], dim=1)
        output = self.unet(scaled, timestep, asked.said.tokens, return_dict=False, **beside)[0]
        return self.objective.x0(asked.x, output.float(), asked.sigma)

    def _added(self, asked: Asked, scaled: Tensor, timestep: Tensor) -> dict[str, Any]:
        """The UNet's other arguments, under diffusers' names."""
        added: dict[str, Any] = {}
        if asked.said.pooled is not None:
            added["added_cond_kwargs"] = {"text_embeds": asked.said.pooled, "time_ids": asked.said.sizes}
        residuals = [one for control in self.controls if (one := control(asked, scaled, timestep))]
        if residuals:
            added["down_block_additional_residuals"] = [
                _sum(row) for row in zip(*(one.down for one in residuals), strict=True)
            ]
            added["mid_block_additional_residual"] = _sum([one.middle for one in residuals])
        return added


def _sum(tensors: Sequence[Tensor]) -> Tensor:
    total = tensors[0]
    for tensor in tensors[1:]:
        total = total + tensor
    return total
