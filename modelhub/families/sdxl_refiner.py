"""The refiner of Stable Diffusion XL (Stability-AI/generative-models)."""

from modelhub.families._family import Family, Latent, NoiseSchedule, UNet

FAMILY = Family(
    name="sdxl-refiner",
    title="Stable Diffusion XL refiner",
    prediction_type="epsilon",
    latent=Latent(channels=4, scale=0.13025, downscale=8),
    resolution=1024,
    context_width=1280,
    noise=NoiseSchedule(beta_start=0.00085, beta_end=0.012, timesteps=1000),
    unet=UNet(channels=384, context_width=1280, conv_projections=False, class_width=2560, heads=None),
    components={
        "unet": "diffusers.UNet2DConditionModel",
        "vae": "diffusers.AutoencoderKL",
        "text_encoder_2": "transformers.CLIPTextModelWithProjection",
    },
    modelspec_architectures=("stable-diffusion-xl-v1-refiner",),
    base_versions=("sdxl_refiner",),
    name_marks=("refiner",),
)
