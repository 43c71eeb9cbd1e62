"""The facts that all members of one architecture share."""

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["Family", "Latent", "NoiseSchedule", "Pattern", "Signature", "UNet"]

Pattern = tuple[int | None, ...] | None
"""The shape that a tensor must have: None within it is any length, None for it is any shape."""


@dataclass(frozen=True, slots=True)
class Latent:
    """The space that the denoiser works in."""

    channels: int
    scale: float
    """A VAE's latents are multiplied by this before denoising, and divided by it before decoding."""
    downscale: int
    """Pixels per latent, along each side."""
    shift: float = 0.0
    """Taken from a VAE's latents before they are scaled."""


@dataclass(frozen=True, slots=True)
class NoiseSchedule:
    """The forward process of training: betas linear in their square root (latent diffusion's ``scaled_linear``)."""

    beta_start: float
    beta_end: float
    timesteps: int


@dataclass(frozen=True, slots=True)
class UNet:
    """The sizes of a UNet family, in the models everybody knows."""

    channels: int
    """Of its first convolution."""
    context_width: int
    """Columns of the text encodings."""
    conv_projections: bool
    """Whether its attention blocks are entered by 1x1 convolutions (linear layers otherwise)."""
    class_width: int | None
    """Columns of its label embedding (what SDXL knows of sizes); None where it has none."""
    heads: int | None
    """Attention heads in every block, which no tensor shape tells; None: one head for every 64 channels."""
    norm_groups: int = 32
    """Groups of every GroupNorm, likewise."""


@dataclass(frozen=True, slots=True)
class Signature:
    """Tensors that stand in every file of one sort and together in no other."""

    name: str
    """Of the key layout (``native``, ``diffusers``) or of the variant (``dev``, ``fill``) that it marks."""
    requires: Mapping[str, Pattern]
    """Tensor, without the prefix that tools put before all names -> its shape."""
    absent: tuple[str, ...] = ()
    """Tensors that must not be there."""


@dataclass(frozen=True, slots=True)
class Family:
    """One architecture."""

    name: str
    title: str
    prediction_type: str
    """``epsilon``, ``v``, ``edm`` or ``flow``, unless a file says otherwise."""
    latent: Latent
    resolution: int
    """Pixels of a side it was trained at; a file's own header may say otherwise."""
    context_width: int
    """Columns of the text encodings that its cross-attention, or its text entry, takes."""
    noise: NoiseSchedule | None = None
    """None for flow models, whose noise level is the time itself."""
    unet: UNet | None = None
    """None for diffusion transformers."""
    transformer: tuple[Signature, ...] = ()
    """How its diffusion transformer looks, one signature a key layout; empty for UNets."""
    variants: tuple[Signature, ...] = ()
    """What tells its variants apart; the one with the most requirements wins."""
    vae_channels: int = 512
    """Channels of the VAE's innermost level, in the models everybody knows."""
    clip_head_width: int = 64
    """Columns of one head of the text encoder, which no shape tells."""
    components: Mapping[str, str] = field(default_factory=dict)
    """Part of a pipeline -> dotted class that implements it."""
    modelspec_architectures: tuple[str, ...] = ()
    """How ``modelspec.architecture`` begins; the first is what we write."""
    base_versions: tuple[str, ...] = ()
    """How trainers' ``ss_base_model_version`` begins; the first is kohya's, which we write."""
    hub_names: tuple[str, ...] = ()
    """What Civitai calls models based on it."""
    name_marks: tuple[str, ...] = ()
    """Words of file names that people use for it, lower case: the weakest evidence."""
