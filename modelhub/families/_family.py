"""The facts that all members of one architecture share."""

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["Family", "Latent", "NamedVariant", "NoiseSchedule", "Pattern", "PredictionTest", "Signature", "UNet"]
__all__ += ["UNetVariant"]

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

    def shape(self, size: tuple[int, int]) -> tuple[int, int, int]:
        """Channels, height and width of the latents of a picture that is `size` = width, height px."""
        width, height = size
        return self.channels, height // self.downscale, width // self.downscale


@dataclass(frozen=True, slots=True)
class NoiseSchedule:
    """The forward process of training: betas linear in their square root (latent diffusion's ``scaled_linear``)."""

    beta_start: float
    beta_end: float
    timesteps: int


@dataclass(frozen=True, slots=True)
class UNetVariant:
    """How one variant of a UNet differs from its family; None where it does not."""

    name: str
    in_channels: int | None = None
    """Channels of what enters its first convolution: latents, and what else it is given."""
    class_width: int | None = None
    depths: tuple[int, ...] | None = None
    """Transformers in each block of the way down that may have any."""
    marker: str | None = None
    """A tensor of the whole file, named without any prefix, that only this variant has."""


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
    in_channels: int = 4
    """Of its plain model."""
    variants: tuple[UNetVariant, ...] = ()


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
class PredictionTest:
    """What tells models that predict epsilon from those that predict v, where the shapes of both are the same."""

    tensors: Mapping[str, str]
    """Key layout -> a small tensor whose values spread more where v is predicted."""
    spread: float
    """The standard deviation above which it is v."""
    steps: Mapping[str, str]
    """``global_step`` of the authors' own checkpoints -> what they predict."""


@dataclass(frozen=True, slots=True)
class NamedVariant:
    """A variant that shapes do not tell, only the file's name: the weakest evidence."""

    name: str
    word: str
    """Of the file's name, lower case."""
    among: str | None = None
    """The variant that the tensors show; None: the plain one."""


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
    """None for flow models, whose noise level is the time itself, and for what was trained on other betas."""
    unet: UNet | None = None
    """None for diffusion transformers."""
    transformer: tuple[Signature, ...] = ()
    """How its diffusion transformer looks, one signature a key layout; empty for UNets."""
    variants: tuple[Signature, ...] = ()
    """What tells its variants apart; the one with the most requirements wins."""
    named_variants: tuple[NamedVariant, ...] = ()
    prediction_test: PredictionTest | None = None
    text_entry: tuple[str, ...] = ()
    """Tensors of its diffusion transformer whose columns are those of the text encodings, in each layout."""
    vae: str = "kl"
    """How its VAE is built: ``kl`` (most), ``temporal`` (SVD), ``wan`` (gains called gamma), ``causal`` (of videos),
    ``dc`` (Sana), ``cascade``."""
    vae_of: str | None = None
    """Family whose very VAE it uses; None: its own."""
    resolutions: Mapping[str, int] = field(default_factory=dict)
    """What a model predicts -> pixels of a side, where those that predict it were trained at other ones."""
    other_latents: tuple[int, ...] = ()
    """Channels that the latents of its other variants have."""
    vae_names: tuple[str, ...] = ()
    """File names, or words of them, by which everybody knows its VAE, lower case."""
    clip_head_width: int = 64
    """Columns of one head of the text encoder, which no shape tells."""
    clip_layers: int | None = None
    """Layers of the published text encoder that are read, where that is all but the last one."""
    components: Mapping[str, str] = field(default_factory=dict)
    """Part of a pipeline -> dotted class that implements it."""
    modelspec_architectures: tuple[str, ...] = ()
    """How ``modelspec.architecture`` begins; the first is what we write."""
    base_versions: tuple[str, ...] = ()
    """How trainers' ``ss_base_model_version`` begins; the first is kohya's, which we write."""
    hub_names: tuple[str, ...] = ()
    """What Civitai calls models based on it."""
    name_marks: tuple[str, ...] = ()
    """Words of file names that people use for it and for nothing else, lower case: the weakest evidence."""
    ordinary_marks: tuple[str, ...] = ()
    """Likewise words that may mean anything: they contradict nothing, and take certainty from what else is said."""
    lora_modules: Mapping[str, tuple[Pattern, ...]] = field(default_factory=dict)
    """Module that its LoRAs train (dots as underscores, numbers of blocks as ``#``) -> shapes, [rows, columns], that
    the module's weight has in the models everybody knows. Within a UNet the path begins after the block, and
    ``deep_`` marks a block's third transformer and later ones."""
