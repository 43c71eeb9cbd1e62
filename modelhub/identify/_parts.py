"""Where a file holds an autoencoder and encoders of text, under whichever prefix, and what they are."""

from dataclasses import dataclass

from modelhub.families import Signature
from modelhub.identify._known import WeightFile

__all__ = ["Autoencoder", "has_text_encoder", "holds_control", "read_vae"]

_CONTROL = "control_model.zero_convs.0.0.weight"
_VAE_PREFIXES = ("first_stage_model.", "vae.", "")
_CONDITIONERS = frozenset(
    ("cond_stage_model", "conditioner", "text_encoders", "text_encoder", "text_encoder_2", "image_encoder", "mllm")
)
"""How the names of what encodes text begin, or what encodes pictures in its place."""
_FLAT = (None, None, None, None)
_DEEP = (None, None, None, None, None)


@dataclass(frozen=True, slots=True)
class _Form:
    """How autoencoders of one build name their tensors in one layout."""

    build: str
    """As `Family.vae`."""
    entry: str
    """The convolution that latents enter by; its second side is their channels."""
    signature: Signature
    """Named after the layout."""


@dataclass(frozen=True, slots=True)
class Autoencoder:
    """The autoencoder that a file holds."""

    build: str
    layout: str
    prefix: str
    channels: int
    """Of its latents."""


def _form(
    build: str, layout: str, entry: str, shape: tuple[None, ...], *names: str, absent: tuple[str, ...] = ()
) -> _Form:
    return _Form(build, entry, Signature(layout, {entry: shape, **dict.fromkeys(names)}, absent))


_ENTRY, _LAST = "decoder.conv_in.weight", "decoder.conv_out.weight"
_CAUSAL_ENTRY = "decoder.conv_in.conv.weight"
_LDM_MIDDLE = "decoder.mid.block_1.conv1.weight"
_DIFFUSERS_MIDDLE = "decoder.mid_block.resnets.0.conv1.weight"
_GAIN = "decoder.mid_block.resnets.0.norm1.gamma"
_OVER_TIME = "decoder.mid.block_1.time_stack.in_layers.2.weight"
_CODEBOOK = "quantize.embedding.weight"
"""Its latents are words of a list, not numbers: no VAE."""
_FORMS = (
    _form("kl", "ldm", _ENTRY, _FLAT, _LDM_MIDDLE, _LAST, absent=(_CODEBOOK, _OVER_TIME)),
    _form("kl", "diffusers", _ENTRY, _FLAT, _DIFFUSERS_MIDDLE, _LAST, absent=(_CODEBOOK, _GAIN)),
    _form("temporal", "ldm", _ENTRY, _FLAT, _LDM_MIDDLE, _OVER_TIME),
    _form("temporal", "diffusers", _ENTRY, _FLAT, "decoder.time_conv_out.weight", _LAST),
    _form("wan", "native", "decoder.conv1.weight", _DEEP, "decoder.middle.0.residual.0.gamma", "decoder.head.2.weight"),
    _form("wan", "diffusers", _ENTRY, _DEEP, _GAIN, _LAST),
    _form("wan", "diffusers", _ENTRY, _FLAT, _GAIN, _LAST),
    _form("causal", "diffusers", _CAUSAL_ENTRY, _DEEP, "decoder.mid_block.resnets.0.conv1.conv.weight"),
    _form("causal", "native", _CAUSAL_ENTRY, _DEEP, "decoder.up_blocks.0.res_blocks.0.conv1.conv.weight"),
    _form("dc", "diffusers", _ENTRY, _FLAT, "decoder.up_blocks.0.0.conv.weight", _LAST),
    _form("dc", "native", "decoder.project_in.conv.weight", _FLAT, "decoder.project_out.2.conv.weight"),
    _form("tiny", "native", "taesd_decoder.1.weight", _FLAT, "taesd_decoder.3.conv.0.weight"),
    _form("tiny", "native", "1.weight", _FLAT, "3.conv.0.weight", "19.weight"),
    _form("tiny", "diffusers", "decoder.layers.0.weight", _FLAT, "decoder.layers.2.conv.0.weight"),
)


def read_vae(file: WeightFile) -> Autoencoder | None:
    """The autoencoder in the file; the form with the most requirements wins."""
    tensors = file.table.tensors
    fitting = [
        (form, prefix)
        for prefix in _VAE_PREFIXES
        for form in _FORMS
        if prefix + form.entry in tensors and file.fits(form.signature, prefix)
    ]
    if not fitting:
        return None
    form, prefix = max(fitting, key=lambda found: len(found[0].signature.requires))
    shape = file.table.tensors[prefix + form.entry].shape
    return Autoencoder(form.build, form.signature.name, prefix, shape[1])


def has_text_encoder(file: WeightFile) -> bool:
    """Whether an encoder stands in a file that holds more."""
    return not _CONDITIONERS.isdisjoint(file.fronts)


def holds_control(file: WeightFile) -> bool:
    """Whether a ControlNet was written together with the model that it controls."""
    return _CONTROL in file.table.tensors
