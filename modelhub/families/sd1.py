"""Stable Diffusion 1.x (Rombach et al. 2022, https://arxiv.org/abs/2112.10752; configs of CompVis/stable-diffusion)."""

from modelhub.families._family import Family, Latent, NoiseSchedule, UNet, UNetVariant

FAMILY = Family(
    name="sd1",
    title="Stable Diffusion 1.x",
    prediction_type="epsilon",
    latent=Latent(channels=4, scale=0.18215, downscale=8),
    resolution=512,
    context_width=768,
    noise=NoiseSchedule(beta_start=0.00085, beta_end=0.012, timesteps=1000),
    unet=UNet(
        channels=320,
        context_width=768,
        conv_projections=True,
        class_width=None,
        heads=8,
        variants=(UNetVariant("zero123", in_channels=8, marker="cc_projection.weight"),),
    ),
    vae_names=("vae-ft-mse", "vae-ft-ema", "kl-f8", "sd-vae"),
    components={
        "unet": "diffusers.UNet2DConditionModel",
        "vae": "diffusers.AutoencoderKL",
        "text_encoder": "transformers.CLIPTextModel",
    },
    modelspec_architectures=("stable-diffusion-v1",),
    base_versions=("sd_v1", "sd_1.5", "sd_1.4"),
    hub_names=("SD 1.4", "SD 1.5", "SD 1.5 LCM", "SD 1.5 Hyper"),
    name_marks=("sd15", "sd1.5", "sd14", "sd1", "sd-v1", "sdv1"),
    lora_modules={
        "attn2_to_k": ((None, 768),),
        "lora_te_text_model_encoder_layers_#_self_attn_q_proj": ((768, 768),),
    },
)
