"""UNet: a denoiser, UNet or diffusion transformer, without all that a checkpoint has around it."""

from modelhub.identify._denoiser import denoiser_facts, read_denoiser
from modelhub.identify._known import Claim, WeightFile
from modelhub.identify._parts import has_text_encoder, read_vae
from modelhub.kinds import Kind


def claim(file: WeightFile) -> Claim | None:
    denoiser = read_denoiser(file)
    if denoiser is None:
        return None
    present = {"VAE": read_vae(file) is not None, "text encoder": has_text_encoder(file)}
    missing = " and ".join(f"no {part}" for part, there in present.items() if not there)
    if not missing:
        return None
    return Claim(denoiser.strength, denoiser_facts(file, denoiser, Kind.UNET, f"{denoiser.what}, with {missing}"))
