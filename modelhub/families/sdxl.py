"""Stable Diffusion XL (Podell et al. 2023, https://arxiv.org/abs/2307.01952; Stability-AI/generative-models)."""

from modelhub.families._family import Family, Latent, NoiseSchedule, UNet

FAMILY = Family(
    name="sdxl",
    title="Stable Diffusion XL",
    prediction_type="epsilon",
    latent=Latent(channels=4, scale=0.13025, downscale=8),
    resolution=1024,
    context_width=2048,
    noise=NoiseSchedule(beta_start=0.00085, beta_end=0.012, timesteps=1000),
    unet=UNet(channels=320, context_width=2048, conv_projections=False, class_width=2816, heads=None),
    components={
        "unet": "diffusers.UNet2DConditionModel",
        "vae": "diffusers.AutoencoderKL",
        "text_encoder": "transformers.CLIPTextModel",
        "text_encoder_2": "transformers.CLIPTextModelWithProjection",
    },
    modelspec_architectures=("stable-diffusion-xl-v1-base", "stable-diffusion-xl-v1-edit"),
    base_versions=("sdxl_base_v1-0", "sdxl_", "sdxl"),
    hub_names=(
        "SDXL 0.9",
        "SDXL 1.0",
        "SDXL 1.0 LCM",
        "SDXL Lightning",
        "SDXL Hyper",
        "SDXL Turbo",
        "SDXL Distilled",
        "Pony",
        "Illustrious",
        "NoobAI",
        "Playground v2",
    ),
    name_marks=("sdxl", "xl", "pony", "illustrious", "noobai"),
)
