"""The x4 upscaler of Stable Diffusion 2: the small picture enters beside the latents (Stability-AI/stablediffusion)."""

from modelhub.families._family import Family, Latent, NoiseSchedule, UNet

FAMILY = Family(
    name="sd-x4-upscaler",
    title="Stable Diffusion x4 upscaler",
    prediction_type="v",
    latent=Latent(channels=4, scale=0.08333, downscale=4),
    resolution=512,
    context_width=1024,
    noise=NoiseSchedule(beta_start=0.0001, beta_end=0.02, timesteps=1000),
    unet=UNet(channels=256, context_width=1024, conv_projections=False, class_width=None, heads=8, in_channels=7),
    components={
        "unet": "diffusers.UNet2DConditionModel",
        "vae": "diffusers.AutoencoderKL",
    },
    modelspec_architectures=("stable-diffusion-v2-x4-upscaler",),
    name_marks=("x4-upscaler", "x4-upscaling"),
)
