"""Stable Video Diffusion: SD2's UNet with layers over time (https://arxiv.org/abs/2311.15127)."""

from modelhub.families._family import Family, Latent, UNet

FAMILY = Family(
    name="svd",
    title="Stable Video Diffusion",
    prediction_type="v",
    latent=Latent(channels=4, scale=0.18215, downscale=8),
    resolution=576,
    context_width=1024,
    unet=UNet(channels=320, context_width=1024, conv_projections=False, class_width=768, heads=None, in_channels=8),
    vae="temporal",
    components={
        "unet": "diffusers.UNetSpatioTemporalConditionModel",
        "vae": "diffusers.AutoencoderKLTemporalDecoder",
    },
    modelspec_architectures=("stable-video-diffusion",),
    hub_names=("SVD", "SVD XT"),
    name_marks=("svd",),
)
