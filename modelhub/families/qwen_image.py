"""Qwen-Image and Qwen-Image-Edit (https://arxiv.org/abs/2508.02324)."""

from modelhub.families._family import Family, Latent

FAMILY = Family(
    name="qwen-image",
    title="Qwen-Image",
    prediction_type="flow",
    latent=Latent(channels=16, scale=1.0, downscale=8),
    resolution=1024,
    context_width=3584,
    modelspec_architectures=("qwen-image",),
    base_versions=("qwen_image",),
    hub_names=("Qwen", "Qwen 2"),
    name_marks=("qwen",),
)
