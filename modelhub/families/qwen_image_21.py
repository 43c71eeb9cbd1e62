"""Qwen-Image 2.1: one stream, and a VAE of 64 channels (Qwen/Qwen-Image-2.1; shapes of diffusers' classes)."""

from modelhub.families._family import Family, Latent, Signature

FAMILY = Family(
    name="qwen-image-2.1",
    title="Qwen-Image 2.1",
    prediction_type="flow",
    latent=Latent(channels=64, scale=1.0, downscale=16),
    resolution=1024,
    context_width=4096,
    transformer=(
        Signature(
            "diffusers",
            {
                "txt_in.text_norm.weight": None,
                "txt_in.in_layer.weight": None,
                "transformer_blocks.0.img_mlp.gate_layer.weight": None,
                "img_in.weight": None,
                "norm_out.linear.weight": None,
                "proj_out.weight": None,
            },
        ),
        Signature(
            "native",
            {
                "txt_in.text_norm.weight": None,
                "txt_in.in_layer.weight": None,
                "transformer_blocks.0.img_mlp.gate_up.weight": None,
                "img_in.weight": None,
                "norm_out.linear.weight": None,
                "proj_out.weight": None,
            },
        ),
    ),
    text_entry=("txt_in.in_layer.weight",),
    vae="wan",
    modelspec_architectures=("qwen-image-2.1",),
    name_marks=("qwen-image-2.1",),
)
