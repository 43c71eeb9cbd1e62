"""What a UNet of more channels sees beside the latents: an inpainting checkpoint's mask and picture, an old picture."""

import torch
from torch import Tensor
from torch.nn import functional as F

from inference.engine import Engine
from inference.plan import ModelPlan
from inference.weights.single_file import UNET

__all__ = ["beside", "more_channels"]


def more_channels(plan: ModelPlan) -> str | None:
    """What a model's further channels are for: "mask" and picture, or "edit"; None for one that takes latents alone."""
    latents = plan.family.latent.channels
    extra = plan.parts[UNET].config["in_channels"] - latents
    return {latents + 1: "mask", latents: "edit"}.get(extra)


def beside(
    plan: ModelPlan,
    engine: Engine,
    size: tuple[int, int],
    pixels: Tensor | None = None,
    mask: Tensor | None = None,
    hidden: float = 1.0,
) -> Tensor | None:
    """The channels, [1 or B, C', h, w]; None for a model that has none.

    `pixels` [B, 3, H, W] of -1..1 are the old picture, `mask` [1, 1, H, W] is 1 where to draw, or everywhere; an
    inpainting model sees the masked part at `1 - hidden` of its strength. From nothing it draws over grey.
    """
    kind = more_channels(plan)
    if kind is None:
        return None
    pixels = torch.zeros(1, 3, size[1], size[0]) if pixels is None else pixels
    if kind == "edit":
        latent = plan.family.latent
        return engine.encode(plan, pixels) / latent.scale + latent.shift  # these models were trained on plain means
    mask = torch.ones(1, 1, *pixels.shape[2:]) if mask is None else mask
    seen = engine.encode(plan, torch.lerp(pixels, pixels * (1 - mask), hidden))
    small = F.interpolate(mask, seen.shape[2:]).expand(len(seen), -1, -1, -1)
    return torch.cat([small.to(seen), seen], dim=1)
