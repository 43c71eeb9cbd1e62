"""One ControlNet at work: when it acts, how strongly on each layer, on which rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from inference.model import Asked, Residuals

__all__ = ["ControlUnit", "layer_scales"]

_SOFTENING = 0.825
_LAYERS = 12


@dataclass(frozen=True, slots=True, eq=False)
class ControlUnit:
    """A `Control`: a ControlNet with its hint, for one pass."""

    net: nn.Module
    """diffusers' ControlNetModel."""
    hint: Tensor
    """[1, 3, H, W], 0..1."""
    weight: float
    start: float
    end: float
    """The shares of the steps between which it acts."""
    mode: str
    """``balanced``, ``prompt`` or ``control``: which is more important."""
    steps: int
    calls: int
    """Of the model in a step."""
    pooled: bool = False
    """Whether its residuals are averaged over the picture, and kept from the negative prompt (shuffle models)."""

    def __call__(self, asked: Asked, scaled: Tensor, timestep: Tensor) -> Residuals | None:
        if not self._acts(asked.call):
            return None
        spared = asked.negative if self.mode == "control" or self.pooled else 0
        if spared == len(scaled):
            return None
        down, middle = self._answers(asked, scaled[spared:], timestep[spared:], spared)
        scales = [self.weight * scale for scale in layer_scales(self.mode, len(down) + 1)]
        layers = [self._finished(layer, scale, spared) for layer, scale in zip([*down, middle], scales, strict=True)]
        return Residuals(layers[:-1], layers[-1])

    def _acts(self, call: int) -> bool:
        """As upstream counts: the step that it knows of lags one behind."""
        share = max(call // self.calls - 1, 0) / self.steps
        return self.start <= share <= self.end

    def _answers(self, asked: Asked, scaled: Tensor, timestep: Tensor, spared: int) -> tuple[Sequence[Tensor], Tensor]:
        said = asked.said
        added: dict[str, Any] = {}
        if said.pooled is not None and said.sizes is not None:
            added["added_cond_kwargs"] = {"text_embeds": said.pooled[spared:], "time_ids": said.sizes[spared:]}
        hint = self.hint.to(scaled.dtype).expand(len(scaled), -1, -1, -1)
        down, middle = self.net(scaled, timestep, said.tokens[spared:], hint, return_dict=False, **added)
        return down, middle

    def _finished(self, layer: Tensor, scale: float, spared: int) -> Tensor:
        if self.pooled:
            layer = layer.mean(dim=(2, 3), keepdim=True).expand_as(layer)
        layer = layer * scale
        return torch.cat([torch.zeros_like(layer[:1]).expand(spared, -1, -1, -1), layer]) if spared else layer


def layer_scales(mode: str, layers: int) -> list[float]:
    """Of each layer, the middle one last: 1, or growing towards the middle where not both are equally important.

    SDXL has fewer layers, and takes the first of the 13 scales.
    """
    if mode == "balanced":
        return [1.0] * layers
    return [_SOFTENING ** (_LAYERS - layer) for layer in range(_LAYERS + 1)][:layers]
