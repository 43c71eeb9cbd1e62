"""The noise of a sample: what is asked for, and what goes in."""

import random
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from trainers.recipe import NoiseOptions

__all__ = ["Drawn", "drawn"]


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """Noise of one sample, [C, h, w]."""

    target: Tensor
    """What the target is made of."""
    given: Tensor
    """What the latents are noised with: the same, but for input perturbation."""


def drawn(latents: Tensor, options: NoiseOptions, chance: torch.Generator) -> Drawn:
    """The noise of one sample: of its own latents [C, h, w] and its own generator, whatever else is in its batch."""
    noise = torch.randn(latents.shape, generator=chance)
    if options.offset or options.adaptive_offset:
        noise = noise + _offset(latents, options, chance)
    if options.multires_iterations:
        noise = _with_pyramid(noise, options, chance)
    return Drawn(noise, noise + _perturbation(noise, options, chance) if options.perturbation else noise)


def _offset(latents: Tensor, options: NoiseOptions, chance: torch.Generator) -> Tensor:
    """Noise that is constant over a channel, [C, 1, 1]; kohya's `noise_offset` and `adaptive_noise_scale`.

    https://www.crosslabs.org/blog/diffusion-with-offset-noise; adaptive: more of it for channels far from 0 on average.
    """
    strength = options.offset * (_share(chance) if options.random_offset else 1.0)
    means = latents.float().mean((1, 2), keepdim=True).abs().cpu()
    strengths = (strength + options.adaptive_offset * means).clamp(min=0)
    return strengths * torch.randn(len(latents), 1, 1, generator=chance)


def _with_pyramid(noise: Tensor, options: NoiseOptions, chance: torch.Generator) -> Tensor:
    """With noise of ever coarser grids added, then of deviation 1 again; kohya's `multires_noise_iterations`.

    https://wandb.ai/johnowhitaker/multires_noise/reports/Multi-Resolution-Noise-for-Diffusion-Model-Training
    sd-scripts divides by the deviation of the whole batch; here it is the sample's, or what a sample is trained on
    would depend on its neighbours, and a step cut into smaller batches would be another step.
    """
    channels, height, width = noise.shape
    dice = random.Random(int(torch.randint(2**62, (), generator=chance)))
    for level in range(options.multires_iterations):
        coarser = (dice.random() * 2 + 2) ** level
        size = max(1, int(height / coarser)), max(1, int(width / coarser))
        coarse = torch.randn(1, channels, *size, generator=chance)
        finer = F.interpolate(coarse, (height, width), mode="bilinear")[0]
        noise = noise + finer * options.multires_discount**level
        if 1 in size:
            break
    return noise / noise.std()


def _perturbation(noise: Tensor, options: NoiseOptions, chance: torch.Generator) -> Tensor:
    """Of the input alone (Ning et al. 2023, https://arxiv.org/abs/2301.11706); kohya's `ip_noise_gamma`."""
    strength = options.perturbation * (_share(chance) if options.random_perturbation else 1.0)
    return strength * torch.randn(noise.shape, generator=chance)


def _share(chance: torch.Generator) -> float:
    return float(torch.rand((), generator=chance))
