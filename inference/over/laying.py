"""From a picture in px to the canvas that a pass draws on: encoded once, whatever the number of batches."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from inference.canvas import Canvas
from inference.engine import Engine
from inference.over.beside import beside
from inference.over.blending import After, Before, Blend, Plain
from inference.over.colours import with_colours_of
from inference.over.ground import Ground, finished
from inference.over.masks import cover
from inference.over.soft import SoftBlend, changed
from inference.plan import ModelPlan
from inference.request import Init, Mask
from inference.samplers import Denoise

__all__ = ["Laid", "laid"]


@dataclass(frozen=True, slots=True, eq=False)
class Laid:
    """Grounds of one size, a batch's or one for all of its images, and what the model sees of them."""

    grounds: tuple[Ground, ...]
    init: Init
    latents: Tensor
    """[1 or B, C, h, w], scaled."""
    mask: Tensor | None
    """[1, 1, h, w], 1 where to draw."""
    beside: Tensor | None

    def canvas(self, noise: Callable[[], Tensor], *, before: bool) -> Canvas:
        """One batch's: `noise` gives what its seeds draw first, [B, C, h, w]; `before` is its sampler's rule."""
        latents, mask, said = self.latents, self.mask, self.init.mask or Mask()
        size = self.grounds[0].size
        if mask is None:
            return Canvas(size, latents, self.beside, finished=_Finish(self).image)
        if said.content == "latent noise":
            latents = latents * (1 - mask) + noise() * mask
        if said.content == "latent nothing":
            latents = latents * (1 - mask)
        finish = _Finish(self, latents)
        blend: Blend = SoftBlend(latents, mask, said.soft) if said.soft else Plain(latents, mask)
        rule = Before if before and not said.soft else After  # webui's own leaves noise where the mask is grey

        def masked(denoise: Denoise) -> Denoise:
            return rule(denoise, blend)

        def closed(x: Tensor) -> Tensor:
            return x if said.soft else Plain(latents, mask)(x, 0.0)

        return Canvas(size, latents, self.beside, masked, closed, finish.image)


def laid(grounds: tuple[Ground, ...], init: Init, plan: ModelPlan, engine: Engine) -> Laid:
    """Encode grounds of one size and one mask."""
    ground, said = grounds[0], init.mask or Mask()
    rounded = said.round and not said.soft
    pixels = torch.cat([_pixels(one.picture) for one in grounds])
    latents = engine.encode(plan, pixels)
    shape = plan.family.latent.shape(ground.size)[1:]
    if latents.shape[2:] != shape:
        latents = F.interpolate(latents, shape, mode="bilinear")
        pixels = torch.cat([_pixels(one.picture.resize(ground.size)) for one in grounds])
    mask, seen = None, None
    if ground.mask:
        mask = _latent_mask(ground.latent_mask or ground.mask, shape, rounded=rounded).to(engine.device)
        seen = _levels(ground.mask, rounded=rounded)
    return Laid(grounds, init, latents, mask, beside(plan, engine, ground.size, pixels, seen, said.conditioning))


@dataclass(frozen=True, slots=True)
class _Finish:
    """What is done to the images of a batch that was drawn over old latents."""

    laid: Laid
    latents: Tensor | None = None

    def image(self, image: Image.Image, new: Tensor, index: int) -> Image.Image:
        """With the old picture's colours where that is asked for, and what was not to be drawn put over it."""
        ground = self.laid.grounds[index % len(self.laid.grounds)]
        if self.laid.init.colour_correction:
            image = with_colours_of(image, ground.picture)
        return finished(image, ground, self._cover(ground, new, index))

    def _cover(self, ground: Ground, new: Tensor, index: int) -> Image.Image | None:
        soft = self.laid.init.mask and self.laid.init.mask.soft
        if not (soft and ground.whole and self.latents is not None and self.laid.mask is not None):
            return ground.cover
        old = self.latents[index % len(self.latents)]
        mask = changed(old, new, self.laid.mask[0, 0], soft, ground.size)
        return cover(ground.whole, _uncropped(mask, ground) if ground.place else mask)


def _uncropped(mask: Image.Image, ground: Ground) -> Image.Image:
    """A part's mask at its place in the whole, nothing drawn around it."""
    if ground.whole is None or ground.place is None:
        return mask
    left, top, right, bottom = ground.place
    whole = Image.new("L", ground.whole.size)
    whole.paste(mask.resize((right - left, bottom - top), Image.Resampling.LANCZOS), (left, top))
    return whole


def _pixels(image: Image.Image) -> Tensor:
    """[1, 3, H, W] of -1..1."""
    levels = torch.from_numpy(np.asarray(image.convert("RGB"), np.float32))
    return levels.permute(2, 0, 1)[None] / 255 * 2 - 1


def _latent_mask(mask: Image.Image, shape: tuple[int, ...], *, rounded: bool) -> Tensor:
    """[1, 1, h, w]"""
    return _levels(mask.resize((shape[1], shape[0]), Image.Resampling.BICUBIC), rounded=rounded)


def _levels(mask: Image.Image, *, rounded: bool) -> Tensor:
    """[1, 1, H, W] of 0..1."""
    levels = torch.from_numpy(np.asarray(mask, np.float32))[None, None] / 255
    return levels.round() if rounded else levels
