"""How much a sample counts, by its signal-to-noise ratio (snr = abar / (1 - abar)) and what is predicted."""

import torch
from torch import Tensor

from trainers.recipe import LossOptions

__all__ = ["snr_weights"]

_MOST_DEBIASED = 1000.0
"""Ratios above it count as it, as in kohya's sd-scripts: a nearly clean sample would else weigh nothing."""


def snr_weights(snr: Tensor, prediction: str, options: LossOptions) -> Tensor:
    """The product of the weights that were asked for, [B]; a flow's samples weigh alike: how often a time is drawn
    (`NoiseOptions.distribution`) does for it what weights do for the others.

    `snr` is 0 where a table ends in nothing but noise. It is that of the levels the training has, where sd-scripts
    takes it from before they were changed for zero terminal SNR: so min-SNR counts the very last level of v as
    nothing.
    """
    if prediction == "flow":
        return torch.ones_like(snr)
    weights = _capped(snr, prediction, options)
    return weights * _velocity_as_noise(snr) if options.scale_v_like_noise else weights


def _capped(snr: Tensor, prediction: str, options: LossOptions) -> Tensor:
    if options.debiased:
        return _debiased(snr, prediction)
    return _min_snr(snr, prediction, options.min_snr_gamma) if options.min_snr_gamma else torch.ones_like(snr)


def _min_snr(snr: Tensor, prediction: str, gamma: float) -> Tensor:
    """min(snr, gamma) / snr for noise, min(snr, gamma) / (snr + 1) for v; kohya's `min_snr_gamma`.

    Hang et al. 2023, https://arxiv.org/abs/2303.09556. For noise written as min(1, gamma / snr), which is 1 at snr 0.
    """
    return snr.clamp(max=gamma) / (snr + 1) if prediction == "v" else (gamma / snr).clamp(max=1)


def _debiased(snr: Tensor, prediction: str) -> Tensor:
    """1 / sqrt(snr) for noise (Yu et al. 2023, https://arxiv.org/abs/2310.08442); kohya's `debiased_estimation_loss`.

    For v it is sd-scripts' 1 / (snr + 1), the error of x0 itself; OneTrainer takes the root of that.
    """
    ratio = snr.clamp(max=_MOST_DEBIASED)
    return 1 / (ratio + 1) if prediction == "v" else ratio.rsqrt()


def _velocity_as_noise(snr: Tensor) -> Tensor:
    """snr / (snr + 1): an error of v is so much of an error of noise; kohya's `scale_v_pred_loss_like_noise_pred`."""
    return snr / (snr + 1)
