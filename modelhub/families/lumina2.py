"""Lumina-Image 2.0 (https://arxiv.org/abs/2503.21758)."""

from modelhub.families._family import Family, Latent

FAMILY = Family(
    name="lumina2",
    title="Lumina-Image 2.0",
    prediction_type="flow",
    latent=Latent(channels=16, scale=0.3611, downscale=8, shift=0.1159),
    resolution=1024,
    context_width=2304,
    modelspec_architectures=("lumina-2",),
    base_versions=("lumina2",),
    hub_names=("Lumina",),
    name_marks=("lumina",),
)
