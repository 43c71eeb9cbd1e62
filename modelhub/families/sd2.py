"""Stable Diffusion 2.x (configs of Stability-AI/stablediffusion)."""

from modelhub.families._family import Family, Latent, NoiseSchedule, PredictionTest, UNet, UNetVariant

FAMILY = Family(
    name="sd2",
    title="Stable Diffusion 2.x",
    prediction_type="epsilon",
    latent=Latent(channels=4, scale=0.18215, downscale=8),
    resolution=512,
    context_width=1024,
    noise=NoiseSchedule(beta_start=0.00085, beta_end=0.012, timesteps=1000),
    unet=UNet(
        channels=320,
        context_width=1024,
        conv_projections=False,
        class_width=None,
        heads=None,
        variants=(UNetVariant("unclip-l", class_width=1536), UNetVariant("unclip-h", class_width=2048)),
    ),
    prediction_test=PredictionTest(
        tensors={
            "ldm": "output_blocks.11.1.transformer_blocks.0.norm1.bias",
            "diffusers": "up_blocks.3.attentions.2.transformer_blocks.0.norm1.bias",
        },
        spread=0.09,
        steps={"875000": "epsilon", "220000": "epsilon", "110000": "v"},
    ),
    vae_of="sd1",
    resolutions={"v": 768},
    clip_layers=23,
    components={
        "unet": "diffusers.UNet2DConditionModel",
        "vae": "diffusers.AutoencoderKL",
        "text_encoder": "transformers.CLIPTextModel",
    },
    modelspec_architectures=("stable-diffusion-v2",),
    base_versions=("sd_v2", "sd_2.1", "sd_2.0"),
    hub_names=("SD 2.0", "SD 2.0 768", "SD 2.1", "SD 2.1 768", "SD 2.1 Unclip"),
    name_marks=("sd2", "sd21", "sd2.1", "sd-v2", "sdv2"),
    lora_modules={
        "attn2_to_k": ((None, 1024),),
        "lora_te_text_model_encoder_layers_#_self_attn_q_proj": ((1024, 1024),),
        "text_encoder_text_model_encoder_layers_#_self_attn_q_proj": ((1024, 1024),),
    },
)
