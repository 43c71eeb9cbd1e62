"""Stable Diffusion 2.x (configs of Stability-AI/stablediffusion)."""

from modelhub.families._family import Family, Latent, NoiseSchedule, UNet

FAMILY = Family(
    name="sd2",
    title="Stable Diffusion 2.x",
    prediction_type="epsilon",
    latent=Latent(channels=4, scale=0.18215, downscale=8),
    resolution=512,
    context_width=1024,
    noise=NoiseSchedule(beta_start=0.00085, beta_end=0.012, timesteps=1000),
    unet=UNet(channels=320, context_width=1024, conv_projections=False, class_width=None, heads=None),
    components={
        "unet": "diffusers.UNet2DConditionModel",
        "vae": "diffusers.AutoencoderKL",
        "text_encoder": "transformers.CLIPTextModel",
    },
    modelspec_architectures=("stable-diffusion-v2",),
    base_versions=("sd_v2", "sd_2.1", "sd_2.0"),
    hub_names=("SD 2.0", "SD 2.0 768", "SD 2.1", "SD 2.1 768"),
    name_marks=("sd2", "sd21", "sd2.1", "sd-v2"),
)
