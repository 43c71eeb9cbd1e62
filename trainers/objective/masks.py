"""Where in a picture an answer is judged."""

import random

import torch
from torch import Tensor

from trainers.recipe import LossOptions

__all__ = ["drawn_mask", "masked_mean"]

_NOTHING = 1e-6
"""Shares of a picture below it count as it: what is masked out wholly has a loss of 0, not 0 / 0."""


def drawn_mask(mask: Tensor, options: LossOptions, chance: random.Random) -> Tensor:
    """A sample's mask, [1, h, w], or now and then one that leaves nothing out, so that surroundings are learned too."""
    return torch.ones_like(mask) if chance.random() < options.unmasked_probability else mask


def masked_mean(errors: Tensor, masks: Tensor | None, options: LossOptions) -> Tensor:
    """Means of errors [B, C, h, w] over each sample, [B], where masks [B, 1, h, w] (0 to 1) say.

    sd-scripts divides by all elements, so that a small mask means a small loss; here it is by the mask's own sum,
    unless `normalise_area` is off.
    """
    if masks is None:
        return errors.flatten(1).mean(1)
    weights = masks.clamp(min=options.unmasked_weight)
    means = (errors * weights).flatten(1).mean(1)
    return means / weights.flatten(1).mean(1).clamp(min=_NOTHING) if options.normalise_area else means
