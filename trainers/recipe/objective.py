"""What the denoiser is asked for, and how its answer is judged."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from trainers.recipe.section import Section

__all__ = ["LossOptions", "NoiseOptions", "PriorOptions"]


class NoiseOptions(Section):
    """The noise, and how much of it."""

    offset: float = Field(default=0.0, ge=0, le=1)
    """Strength of noise that is constant over a channel, so that very dark and bright pictures can be learnt."""
    adaptive_offset: float = 0.0
    """Added to it for every unit of the latents' mean, by size."""
    random_offset: bool = False
    """Draw the strength between 0 and `offset`."""
    multires_iterations: int = Field(default=0, ge=0, le=10)
    """Levels of coarser noise that are added, 6 to 10 where it is used; 0 for none."""
    multires_discount: float = Field(default=0.3, gt=0, le=1)
    """Strength of each level over that of the one before."""
    perturbation: float = Field(default=0.0, ge=0, le=1)
    """Strength of noise that the input has and the target has not (Ning et al. 2023, arXiv 2301.11706), near 0.1."""
    random_perturbation: bool = False
    """Draw the strength between 0 and `perturbation`."""
    smallest_timestep: int = Field(default=0, ge=0)
    """The first that is taken."""
    largest_timestep: int | None = Field(default=None, ge=1)
    """The first that is not taken; None takes the model's last."""
    distribution: Literal["uniform", "sigmoid", "logit_normal", "heavy_tail", "cosine", "inverted_parabola"] = "uniform"
    """Of the timesteps."""
    scale: float = Field(default=1.0, gt=0)
    """Of `distribution`: deviation of a logit normal, weight of a heavy tail, steepness of a sigmoid or parabola."""
    bias: float = 0.0
    """Mean of a logit normal; how far right of the middle a sigmoid or parabola stands."""
    shift: float = Field(default=1.0, gt=0)
    """Above 1, more steps where there is much noise: t' = s t / (1 + (s - 1) t)."""
    zero_terminal_snr: bool = False
    """Train v down to no signal at all (Lin et al. 2023, arXiv 2305.08891)."""

    @model_validator(mode="after")
    def _has_timesteps(self) -> Self:
        if self.largest_timestep is not None and self.largest_timestep <= self.smallest_timestep:
            raise ValueError("the largest timestep must be above the smallest")
        return self


class LossOptions(Section):
    """How an answer is judged."""

    kind: Literal["l2", "l1", "huber", "smooth_l1"] = "l2"
    """How a difference counts: huber and smooth_l1 make less of great ones."""
    huber_c: float = Field(default=0.1, ge=1e-6, le=1e6)
    """Of huber and smooth_l1: where small differences end."""
    huber_schedule: Literal["constant", "exponential", "snr"] = "snr"
    """How that changes with the timestep."""
    huber_scale: float = Field(default=1.0, ge=1e-6, le=1e6)
    """Multiplies it, where it does not follow the noise."""
    min_snr_gamma: float = Field(default=5.0, ge=0)
    """Caps the weight of nearly clean samples (Hang et al. 2023); 0 weighs all alike."""
    debiased: bool = False
    """Weigh by 1 / sqrt(snr), v by 1 / (snr + 1), in place of min-SNR (Yu et al. 2023, arXiv 2310.08442)."""
    scale_v_like_noise: bool = False
    """Weigh v by snr / (snr + 1), which makes it the noise's loss."""
    unmasked_weight: float = Field(default=0.0, ge=0, le=1)
    """Weight of what a mask leaves out."""
    unmasked_probability: float = Field(default=0.0, ge=0, le=1)
    """Share of the samples of which the mask is left out."""
    normalise_area: bool = True
    """Divide by the mask's area, so that a small one does not mean a small loss."""


class PriorOptions(Section):
    """What keeps the base's knowledge of a class (Ruiz et al. 2022, section 3.2)."""

    weight: float = Field(default=1.0, ge=0)
    """Of the losses of regularisation pictures, over those of the others."""
    frozen: bool = False
    """Learn the untrained model's own answers for them, in place of the pictures."""
    caption: str = ""
    """Of the class, for what is drawn or asked of the untrained model."""
    draw: int = Field(default=0, ge=0)
    """So many pictures of the class are drawn with the base first, where a folder has fewer."""
    images: Path | None = None
    """Where they are kept; None takes the workspace's caches."""

    @model_validator(mode="after")
    def _says_what_to_draw(self) -> Self:
        if self.draw and not self.caption.strip():
            raise ValueError("pictures of the class are drawn from its caption: say one, such as 'a dog'")
        return self
