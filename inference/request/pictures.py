"""What a picture is drawn over: an earlier one, and which part of it."""

from typing import Literal

from pydantic import Field

from inference.request._said import Said

__all__ = ["Init", "Mask", "Outpaint", "Soft"]


class Soft(Said):
    """Soft inpainting: how far the mask's grey lets the old picture through, as webui's script has it."""

    schedule_bias: float = Field(default=1.0, ge=0.0, le=8.0)
    """Moves the keeping of the old picture to late (above 1) or early noise levels."""
    preservation: float = Field(default=0.5, ge=0.0, le=8.0)
    contrast_boost: float = Field(default=4.0, ge=1.0, le=32.0)
    """Power of the mean by which two blended latents keep their magnitude."""
    mask_influence: float = Field(default=0.0, ge=0.0, le=1.0)
    difference_threshold: float = Field(default=0.5, ge=0.0, le=8.0)
    difference_contrast: float = Field(default=2.0, ge=0.0, le=8.0)


class Mask(Said):
    """Which part is drawn anew."""

    image: str | None = None
    """Path of a picture, white where to draw; the SHA-256 of its bytes once resolved; None is the alpha of the
    picture that is drawn over."""
    invert: bool = False
    blur_x: int = Field(default=4, ge=0, le=64)
    blur_y: int = Field(default=4, ge=0, le=64)
    """Deviation of a Gaussian in px."""
    content: Literal["fill", "original", "latent noise", "latent nothing"] = "original"
    """What stands under the mask before the first step."""
    only_masked: bool = False
    """Draw the masked part alone at the full size, and paste it back."""
    padding: int = Field(default=32, ge=0, le=512)
    """Px around the masked part, where it is drawn alone."""
    round: bool = True
    """Whether the mask of the latents is 0 or 1 and nothing between."""
    conditioning: float = Field(default=1.0, ge=0.0, le=1.0)
    """How much of the masked picture an inpainting checkpoint does not see."""
    soft: Soft | None = None


class Outpaint(Said):
    """The picture goes on beyond its edges; what is drawn comes to multiples of 64 px."""

    left: int = Field(default=0, ge=0, le=2048)
    right: int = Field(default=0, ge=0, le=2048)
    up: int = Field(default=0, ge=0, le=2048)
    down: int = Field(default=0, ge=0, le=2048)
    """Px."""
    method: Literal["mk2", "poor"] = "mk2"
    """webui's scripts: side by side over noise like the picture, or all at once over its smeared colours."""
    blur: int | None = Field(default=None, ge=0, le=64)
    """Px that the old picture's edge is softened by; None is the method's own: 8 of mk2, 4 of the other."""
    falloff: float = Field(default=1.0, ge=0.0, le=4.0)
    """Of mk2's noise: lower is more detail."""
    colours: float = Field(default=0.05, ge=0.0, le=1.0)
    """Of mk2's noise: how colourful it is."""


class Init(Said):
    """The picture that another is drawn over."""

    image: str
    """Its path; the SHA-256 of its bytes once resolved."""
    denoise: float = Field(default=0.75, ge=0.0, le=1.0)
    """Share of the noise levels that it goes through: 0 keeps it, 1 keeps next to nothing."""
    resize: Literal["stretch", "crop", "fill", "latent"] = "stretch"
    """How it comes to the size that is drawn."""
    upscaler: str | None = None
    """What enlarges it: None is Lanczos."""
    noise_multiplier: float = Field(default=1.0, ge=0.0, le=1.5)
    extra_noise: float = Field(default=0.0, ge=0.0, le=1.0)
    exact_steps: bool = False
    """Whether all of the request's steps are taken, whatever `denoise` is."""
    colour_correction: bool = False
    """Whether its colours are given to the result."""
    background: str = Field(default="#ffffff", pattern=r"^#[0-9a-fA-F]{6}$")
    """What stands behind its transparent parts."""
    mask: Mask | None = None
    outpaint: Outpaint | None = None
