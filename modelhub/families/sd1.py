"""Stable Diffusion 1.x (Rombach et al. 2022, https://arxiv.org/abs/2112.10752; configs of CompVis/stable-diffusion)."""

from modelhub.families._family import Family, Latent, NoiseSchedule

FAMILY = Family(
    name="sd1",
    title="Stable Diffusion 1.x",
    prediction_type="epsilon",
    latent=Latent(channels=4, scale=0.18215, downscale=8),
    noise=NoiseSchedule(beta_start=0.00085, beta_end=0.012, timesteps=1000),
    resolution=512,
    model_channels=320,
    context_width=768,
    conv_projections=True,
    class_width=None,
    vae_channels=512,
    unet_heads=8,
    clip_head_width=64,
    norm_groups=32,
    components={
        "unet": "diffusers.UNet2DConditionModel",
        "vae": "diffusers.AutoencoderKL",
        "text_encoder": "transformers.CLIPTextModel",
    },
    modelspec_architecture="stable-diffusion-v1",
    kohya_base_version="sd_v1",
    other_base_versions=("sd_1.5", "sd_1.4"),
)
