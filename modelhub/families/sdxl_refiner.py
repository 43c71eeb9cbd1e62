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
    vae_of="sdxl",
    components={
        "unet": "diffusers.UNet2DConditionModel",
        "vae": "diffusers.AutoencoderKL",
        "text_encoder_2": "transformers.CLIPTextModelWithProjection",
    },
    modelspec_architectures=("stable-diffusion-xl-v1-refiner",),
    base_versions=("sdxl_refiner",),
    name_marks=("sdxl-refiner", "sd-xl-refiner", "xl-refiner"),
    ordinary_marks=("refiner",),
    lora_modules={
        "attn2_to_k": ((None, 1280),),
        "label_emb_0_0": ((None, 2560),),
        "add_embedding_linear_1": ((None, 2560),),
    },
)
