"""Anima: a Cosmos-Predict2 transformer that reads text through an adapter (circlestone-labs/Anima)."""

from modelhub.families._family import Family, Latent, Signature

FAMILY = Family(
    name="anima",
    title="Anima",
    prediction_type="flow",
    latent=Latent(channels=16, scale=1.0, downscale=8),
    resolution=1024,
    context_width=1024,
    transformer=(
        Signature(
            "native",
            {
                "llm_adapter.embed.weight": None,
                "blocks.0.adaln_modulation_cross_attn.1.weight": None,
                "blocks.0.cross_attn.k_proj.weight": None,
                "x_embedder.proj.1.weight": None,
                "final_layer.linear.weight": None,
            },
        ),
        Signature(
            "diffusers",
            {
                "text_conditioner.embed.weight": None,
                "transformer.transformer_blocks.0.attn2.to_k.weight": None,
                "transformer.patch_embed.proj.weight": None,
                "transformer.norm_out.linear_1.weight": None,
                "transformer.proj_out.weight": None,
            },
        ),
    ),
    text_entry=("blocks.0.cross_attn.k_proj.weight", "transformer.transformer_blocks.0.attn2.to_k.weight"),
    vae="wan",
    vae_of="qwen-image",
    modelspec_architectures=("anima",),
    base_versions=("anima",),
    hub_names=("Anima",),
    name_marks=("anima-preview",),
    ordinary_marks=("anima",),
    lora_modules={
        "blocks_#_self_attn_q_proj": ((2048, 2048),),
        "blocks_#_cross_attn_k_proj": ((2048, 1024),),
        "blocks_#_mlp_layer1": ((8192, 2048),),
        "transformer_blocks_#_attn1_to_q": ((2048, 2048),),
        "transformer_blocks_#_attn2_to_k": ((2048, 1024),),
    },
)
