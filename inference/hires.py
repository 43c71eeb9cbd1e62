"""From the first pass to the second: its latents, or its pictures, enlarged (webui: Hires. fix)."""

import torch
from torch import Tensor
from torch.nn import functional as F

from inference.canvas import Canvas
from inference.engine import Engine
from inference.images.png import to_image
from inference.plan import LoadPlan, ModelPlan
from inference.plan.hires import LATENT_MODES, Enlargement, enlargement
from inference.upscalers.enlarge import enlarge, pixels_of

__all__ = ["enlarged"]


def enlarged(plan: LoadPlan, latents: Tensor, engine: Engine) -> Canvas:
    """What the second pass draws over, from the latents [B, C, h, w] that the first one left."""
    hires, second = plan.request.hires, plan.hires
    if hires is None or second is None:
        raise ValueError("a plan without a second pass")
    downscale = second.family.latent.downscale
    target = enlargement(hires, *plan.size, plan.base.family.latent.downscale)
    if hires.upscaler in LATENT_MODES:
        latents = _interpolated(_meant_for(second, plan.base, latents, engine), target, hires.upscaler, downscale)
    else:
        upscaler = plan.upscalers[hires.upscaler]
        pictures = [to_image(one) for one in engine.decode(plan.base, latents)]
        grown = [pixels_of(enlarge(one, target.size, upscaler, engine), engine.device) for one in pictures]
        latents = engine.encode(second, torch.cat(grown) * 2 - 1)
    return Canvas(target.drawn(downscale), _cut(latents, target))


def _meant_for(second: ModelPlan, first: ModelPlan, latents: Tensor, engine: Engine) -> Tensor:
    """As they are where both models' latents mean the same; else by way of pixels."""
    if second.family.latent == first.family.latent:
        return latents
    return engine.encode(second, engine.decode(first, latents))


def _interpolated(latents: Tensor, target: Enlargement, name: str, downscale: int) -> Tensor:
    mode, antialias = LATENT_MODES[name]
    width, height = target.size
    return F.interpolate(latents, (height // downscale, width // downscale), mode=mode, antialias=antialias)


def _cut(latents: Tensor, target: Enlargement) -> Tensor:
    """Without what hangs over: half of it at either end, the odd one at the far one."""
    over_x, over_y = target.cut
    rows = slice(over_y // 2, latents.shape[2] - (over_y + 1) // 2)
    columns = slice(over_x // 2, latents.shape[3] - (over_x + 1) // 2)
    return latents[:, :, rows, columns]
