"""Chroma, FLUX.1 without its modulation layers (lodestones/Chroma)."""

from modelhub.families._family import Family, Latent

FAMILY = Family(
    name="chroma",
    title="Chroma",
    prediction_type="flow",
    latent=Latent(channels=16, scale=0.3611, downscale=8, shift=0.1159),
    resolution=1024,
    context_width=4096,
    modelspec_architectures=("chroma",),
    base_versions=("chroma",),
    hub_names=("Chroma",),
    name_marks=("chroma",),
)
