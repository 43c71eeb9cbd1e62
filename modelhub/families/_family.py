"""The facts that all members of one architecture share."""

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["Family", "Latent", "NoiseSchedule"]


@dataclass(frozen=True, slots=True)
class Latent:
    """The space that the denoiser works in."""

    channels: int
    scale: float
    """A VAE's latents are multiplied by this before denoising, and divided by it before decoding."""
    downscale: int
    """Pixels per latent, along each side."""


@dataclass(frozen=True, slots=True)
class NoiseSchedule:
    """The forward process of training: betas linear in their square root (latent diffusion's ``scaled_linear``)."""

    beta_start: float
    beta_end: float
    timesteps: int


@dataclass(frozen=True, slots=True)
class Family:
    """One architecture."""

    name: str
    title: str
    prediction_type: str
    """``epsilon`` or ``v``, unless a file says otherwise."""
    latent: Latent
    noise: NoiseSchedule
    resolution: int
    """Pixels of a side it was trained at; a file's own header may say otherwise."""
    model_channels: int
    """Channels of the UNet's first convolution, in the models everybody knows."""
    context_width: int
    """Columns of the text encodings, likewise."""
    conv_projections: bool
    """Whether the UNet's attention blocks are entered by 1x1 convolutions (linear layers otherwise)."""
    class_width: int | None
    """Columns of the UNet's label embedding (what SDXL knows of sizes); None where it has none."""
    vae_channels: int
    """Channels of the VAE's innermost level, likewise."""
    unet_heads: int
    """Attention heads in every UNet block, which no tensor shape tells."""
    clip_head_width: int
    """Columns of one head of the text encoder, likewise."""
    norm_groups: int
    """Groups of every GroupNorm, likewise."""
    components: Mapping[str, str]
    """Part of a pipeline -> dotted class that implements it."""
    modelspec_architecture: str
    kohya_base_version: str
    """How ``ss_base_model_version`` begins."""
    other_base_versions: tuple[str, ...] = ()
    """What other trainers write there."""
