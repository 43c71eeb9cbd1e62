"""VAE: an autoencoder alone.

Those of SD1 and SDXL have the same shapes, only the scale of their latents differs; those of FLUX.1 and SD3 likewise.
So the header decides, then the file's name; else the channels of its latents are all that is known.
"""

from collections.abc import Collection

from modelhub.families import Family, known
from modelhub.identify._known import Claim, Known, WeightFile, stated
from modelhub.identify._names import families_named, says
from modelhub.identify._parts import Autoencoder, holds_control, read_vae
from modelhub.kinds import Kind, Source

_REQUIRED = 3
"""The decoder's first convolution, its middle, its last convolution."""


def claim(file: WeightFile) -> Claim | None:
    vae = read_vae(file)
    if vae is None or holds_control(file):
        return None
    layout = "diffusers" if file.table.container == "diffusers" else vae.layout
    family = _family(file, vae)
    facts = stated(
        Kind.VAE,
        f"an autoencoder's decoder under {vae.prefix or 'no prefix'}, for {vae.channels} channels of latents",
        family=family,
        variant=_variant(vae, family),
        format=Known(f"{file.table.container}/{layout}", Source.TENSORS, f"its decoder bears {layout} names"),
    )
    return Claim(_REQUIRED, facts)


def _variant(vae: Autoencoder, family: Known | None) -> Known | None:
    if vae.build == "tiny":
        return Known("tiny", Source.TENSORS, "it is built like TAESD")
    detail = f"its latents have {vae.channels} channels, and nothing tells more"
    return None if family else Known(f"{vae.channels}-channel", Source.TENSORS, detail)


def _family(file: WeightFile, vae: Autoencoder) -> Known | None:
    for said in file.header.families():
        if said.meaning:
            return Known(said.meaning, Source.HEADER, f"{said.key} is {said.text}")
    fitting = {one.name: one for one in known().values() if _fits(one, vae)}
    if named := _named(file.name, fitting.values()):
        return named
    owners = {one.vae_of or one.name for one in fitting.values()}
    if len(owners) == 1 and vae.build != "tiny":
        return Known(owners.pop(), Source.TENSORS, f"no other family has {vae.channels} channels of such latents")
    return None


def _fits(family: Family, vae: Autoencoder) -> bool:
    channels = (family.latent.channels, *family.other_latents)
    return vae.channels in channels and vae.build in (family.vae, "tiny")


def _named(name: str, fitting: Collection[Family]) -> Known | None:
    """The one family among `fitting` that the file's name says, by its VAE's own name or by its marks."""
    for family in fitting:
        if mark := says(name, family.vae_names):
            return Known(family.name, Source.NAME, f"the name says {mark}")
    said = families_named(name) & {family.name for family in fitting}
    return Known(next(iter(said)), Source.NAME, f"the name says {next(iter(said))}") if len(said) == 1 else None
