"""FLUX.1 (https://github.com/black-forest-labs/flux)."""

from modelhub.families._family import Family, Latent

FAMILY = Family(
    name="flux1",
    title="FLUX.1",
    prediction_type="flow",
    latent=Latent(channels=16, scale=0.3611, downscale=8, shift=0.1159),
    resolution=1024,
    context_width=4096,
    modelspec_architectures=("flux-1",),
    base_versions=("flux1",),
    hub_names=("Flux.1 S", "Flux.1 D", "Flux.1 Krea", "Flux.1 Kontext"),
    name_marks=("flux", "flux1"),
)
