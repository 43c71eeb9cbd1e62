"""AuraFlow, and Pony V7 that is made from it (fal/AuraFlow-v0.3)."""

from modelhub.families._family import Family, Latent, Signature

FAMILY = Family(
    name="auraflow",
    title="AuraFlow",
    prediction_type="flow",
    latent=Latent(channels=4, scale=0.13025, downscale=8),
    resolution=1024,
    context_width=2048,
    transformer=(
        Signature(
            "native",
            {
                "double_layers.0.attn.w1q.weight": None,
                "single_layers.0.attn.w1q.weight": None,
                "init_x_linear.weight": None,
                "cond_seq_linear.weight": None,
                "modF.1.weight": None,
                "final_linear.weight": None,
            },
        ),
        Signature(
            "diffusers",
            {
                "joint_transformer_blocks.0.attn.add_q_proj.weight": None,
                "single_transformer_blocks.0.attn.to_q.weight": None,
                "register_tokens": None,
                "pos_embed.proj.weight": None,
                "context_embedder.weight": None,
                "proj_out.weight": None,
            },
        ),
    ),
    text_entry=("cond_seq_linear.weight", "context_embedder.weight"),
    vae_of="sdxl",
    modelspec_architectures=("auraflow",),
    hub_names=("AuraFlow", "Pony V7"),
    name_marks=("auraflow",),
    lora_modules={
        "joint_transformer_blocks_#_attn_to_q": ((3072, 3072),),
        "joint_transformer_blocks_#_attn_add_q_proj": ((3072, 3072),),
        "single_transformer_blocks_#_attn_to_q": ((3072, 3072),),
        "single_transformer_blocks_#_ff_linear_1": ((8192, 3072),),
        "double_layers_#_attn_w1q": ((3072, 3072),),
        "single_layers_#_attn_w1q": ((3072, 3072),),
    },
)
