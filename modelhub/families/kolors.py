"""Kolors: SDXL's UNet, reading ChatGLM3 through a projection (Kwai-Kolors/Kolors)."""

from modelhub.families._family import Family, Latent, NoiseSchedule, UNet

FAMILY = Family(
    name="kolors",
    title="Kolors",
    prediction_type="epsilon",
    latent=Latent(channels=4, scale=0.13025, downscale=8),
    resolution=1024,
    context_width=4096,
    noise=NoiseSchedule(beta_start=0.00085, beta_end=0.014, timesteps=1100),
    unet=UNet(channels=320, context_width=2048, conv_projections=False, class_width=5632, heads=None),
    vae_of="sdxl",
    components={
        "unet": "diffusers.UNet2DConditionModel",
        "vae": "diffusers.AutoencoderKL",
    },
    modelspec_architectures=("kolors",),
    hub_names=("Kolors",),
    name_marks=("kolors",),
)
