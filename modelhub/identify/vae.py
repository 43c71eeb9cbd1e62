"""VAE: an autoencoder alone.

SD1's, SD2's and SDXL's have the same shapes; only the scale of their latents differs. So the header decides,
then the file's name.
"""

from modelhub.families import Family, known
from modelhub.identify._denoiser import read_denoiser
from modelhub.identify._known import Claim, Known, WeightFile, stated
from modelhub.identify._parts import vae_place
from modelhub.kinds import Kind, Source

_REQUIRED = 4
"""The decoder's first and last convolution, its middle block, and no UNet beside them."""


def claim(file: WeightFile) -> Claim | None:
    place = vae_place(file)
    if place is None or read_denoiser(file) is not None:
        return None
    layout, prefix = place
    entry = file.table.shape(f"{prefix}decoder.conv_in.weight") or ()
    facts = stated(
        Kind.VAE,
        "an autoencoder's decoder, and no UNet",
        family=_family(file, entry),
        format=Known(f"safetensors/{layout}", Source.TENSORS, f"its middle block bears {layout} names"),
    )
    return Claim(_REQUIRED, facts)


def _family(file: WeightFile, entry: tuple[int, ...]) -> Known | None:
    for said in file.header.families():
        if said.meaning:
            return Known(said.meaning, Source.HEADER, f"{said.key} is {said.text}")
    fitting = [one for one in known().values() if entry[:2] == (one.vae_channels, one.latent.channels)]
    named = [one for one in fitting if _is_xl(one.name) == _is_xl(file.name)]
    return _by_name(named[0], file) if named else None


def _by_name(family: Family, file: WeightFile) -> Known:
    said = "says XL" if _is_xl(file.name) else "does not say XL"
    return Known(family.name, Source.NAME, f"{family.latent.channels} latent channels, and the name {said}")


def _is_xl(name: str) -> bool:
    return "xl" in name.lower()
