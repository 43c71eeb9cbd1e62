"""Checkpoint: all that generating needs in one file, a denoiser, an autoencoder and what encodes text."""

from modelhub.identify._denoiser import denoiser_facts, read_denoiser
from modelhub.identify._known import Claim, WeightFile
from modelhub.identify._parts import has_text_encoder, read_vae
from modelhub.kinds import Kind

_MORE = 2
"""The autoencoder and the text encoder, beside what the denoiser is known by."""


def claim(file: WeightFile) -> Claim | None:
    denoiser = read_denoiser(file)
    if denoiser is None or read_vae(file) is None or not has_text_encoder(file):
        return None
    facts = denoiser_facts(file, denoiser, Kind.CHECKPOINT, f"{denoiser.what}, a VAE and a text encoder")
    return Claim(denoiser.strength + _MORE, facts)
