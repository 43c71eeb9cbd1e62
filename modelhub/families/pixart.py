"""PixArt-alpha and PixArt-Sigma (https://arxiv.org/abs/2310.00426, https://arxiv.org/abs/2403.04692)."""

from modelhub.families._family import Family, Latent, NamedVariant, Signature

FAMILY = Family(
    name="pixart",
    title="PixArt",
    prediction_type="epsilon",
    latent=Latent(channels=4, scale=0.13025, downscale=8),
    resolution=1024,
    context_width=4096,
    transformer=(
        Signature(
            "native",
            {
                "t_block.1.weight": None,
                "blocks.0.cross_attn.q_linear.weight": None,
                "blocks.0.mlp.fc1.weight": None,
                "x_embedder.proj.weight": None,
                "y_embedder.y_proj.fc1.weight": None,
                "final_layer.linear.weight": None,
            },
        ),
        Signature(
            "diffusers",
            {
                "adaln_single.linear.weight": None,
                "transformer_blocks.0.attn2.to_k.weight": None,
                "pos_embed.proj.weight": None,
                "caption_projection.linear_1.weight": None,
                "proj_out.weight": None,
            },
        ),
    ),
    variants=(
        Signature("alpha", {"csize_embedder.mlp.0.weight": None}),
        Signature("alpha", {"adaln_single.emb.resolution_embedder.linear_1.weight": None}),
    ),
    named_variants=(NamedVariant("sigma", "sigma"),),
    text_entry=("y_embedder.y_proj.fc1.weight", "caption_projection.linear_1.weight"),
    vae_of="sdxl",
    modelspec_architectures=("pixart",),
    hub_names=("PixArt a", "PixArt E"),
    name_marks=("pixart",),
    lora_modules={
        "transformer_blocks_#_attn1_to_q": ((1152, 1152),),
        "transformer_blocks_#_attn2_to_k": ((1152, 1152),),
        "transformer_blocks_#_ff_net_0_proj": ((4608, 1152),),
    },
)
