"""FLUX.2 (https://github.com/black-forest-labs/flux2)."""

from modelhub.families._family import Family, Latent

FAMILY = Family(
    name="flux2",
    title="FLUX.2",
    prediction_type="flow",
    latent=Latent(channels=32, scale=1.0, downscale=8),
    resolution=1024,
    context_width=15360,
    modelspec_architectures=("flux-2",),
    base_versions=("flux2",),
    hub_names=("Flux.2 D", "Flux.2 Klein 9B", "Flux.2 Klein 9B-base", "Flux.2 Klein 4B", "Flux.2 Klein 4B-base"),
    name_marks=("flux2", "klein"),
)
