"""Stable Diffusion 3 and 3.5 (Esser et al. 2024, https://arxiv.org/abs/2403.03206; Stability-AI/sd3.5)."""

from modelhub.families._family import Family, Latent

FAMILY = Family(
    name="sd3",
    title="Stable Diffusion 3",
    prediction_type="flow",
    latent=Latent(channels=16, scale=1.5305, downscale=8, shift=0.0609),
    resolution=1024,
    context_width=4096,
    modelspec_architectures=("stable-diffusion-3",),
    base_versions=("sd3",),
    hub_names=("SD 3", "SD 3.5", "SD 3.5 Large", "SD 3.5 Large Turbo", "SD 3.5 Medium"),
    name_marks=("sd3", "sd3.5"),
)
