"""Sana: linear attention on strongly compressed latents (https://arxiv.org/abs/2410.10629)."""

from modelhub.families._family import Family, Latent, Signature

FAMILY = Family(
    name="sana",
    title="Sana",
    prediction_type="flow",
    latent=Latent(channels=32, scale=0.41407, downscale=32),
    resolution=1024,
    context_width=2304,
    transformer=(
        Signature(
            "native",
            {
                "attention_y_norm.weight": None,
                "t_block.1.weight": None,
                "blocks.0.cross_attn.q_linear.weight": None,
                "blocks.0.mlp.inverted_conv.conv.weight": None,
                "x_embedder.proj.weight": None,
                "y_embedder.y_proj.fc1.weight": None,
                "final_layer.linear.weight": None,
            },
        ),
        Signature(
            "diffusers",
            {
                "caption_norm.weight": None,
                "time_embed.linear.weight": None,
                "transformer_blocks.0.ff.conv_inverted.weight": None,
                "patch_embed.proj.weight": None,
                "caption_projection.linear_1.weight": None,
                "proj_out.weight": None,
            },
        ),
    ),
    text_entry=("y_embedder.y_proj.fc1.weight", "caption_projection.linear_1.weight"),
    vae="dc",
    modelspec_architectures=("sana",),
    name_marks=("sana-1600m", "sana-600m", "sana-sprint"),
    ordinary_marks=("sana",),
    lora_modules={
        "transformer_blocks_#_attn1_to_q": ((2240, 2240), (1152, 1152)),
        "transformer_blocks_#_attn2_to_k": ((2240, 2240), (1152, 1152)),
    },
)
