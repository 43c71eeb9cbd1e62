"""Checkpoint: a UNet, an autoencoder and a text encoder in one file."""

from modelhub.identify._denoiser import denoiser_family, prediction_type, read_denoiser, variant
from modelhub.identify._known import Claim, Known, WeightFile, stated
from modelhub.identify._parts import has_text_encoder, vae_place
from modelhub.kinds import Kind, Source

_REQUIRED = 4
"""The UNet's first and last convolution, an autoencoder, a text encoder."""


def claim(file: WeightFile) -> Claim | None:
    unet = read_denoiser(file)
    if unet is None or vae_place(file) is None or not has_text_encoder(file):
        return None
    because = f"a UNet, a VAE and a text encoder, under {unet.prefix or 'no prefix'}"
    facts = stated(
        Kind.CHECKPOINT,
        because,
        family=denoiser_family(file, unet),
        variant=variant(unet),
        format=Known(f"safetensors/{unet.layout}", Source.TENSORS, f"its UNet bears {unet.layout} names"),
        prediction_type=prediction_type(file),
        context_width=Known(unet.context_width, Source.TENSORS, "columns of attn2.to_k"),
    )
    return Claim(_REQUIRED, facts)
