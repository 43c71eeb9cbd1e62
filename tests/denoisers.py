"""Denoisers over prompts that never change, for tests that bring their own encodings."""

from collections.abc import Sequence

from torch import Tensor, nn

from inference.conditioning.encoding import Encoding
from inference.conditioning.timeline import Guide, Timeline
from inference.denoiser import Denoiser
from inference.model import Model
from inference.objectives import objective
from inference.schedules import SigmaTable

__all__ = ["denoiser_of"]


def denoiser_of(
    unet: nn.Module,
    table: SigmaTable,
    cond: Tensor | Sequence[Guide],
    uncond: Tensor | Timeline,
    guidance: float,
    *,
    prediction: str = "epsilon",
) -> Denoiser:
    """Encodings are [1 or B, tokens, width]."""
    guides = (Guide(Timeline.fixed(Encoding(cond)), 1.0),) if isinstance(cond, Tensor) else tuple(cond)
    negative = Timeline.fixed(Encoding(uncond)) if isinstance(uncond, Tensor) else uncond
    return Denoiser(Model(unet, objective(prediction, table)), guides, negative, guidance)
