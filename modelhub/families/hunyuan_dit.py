"""HunyuanDiT (https://arxiv.org/abs/2405.08748)."""

from modelhub.families._family import Family, Latent, Signature

FAMILY = Family(
    name="hunyuan-dit",
    title="HunyuanDiT",
    prediction_type="v",
    latent=Latent(channels=4, scale=0.13025, downscale=8),
    resolution=1024,
    context_width=1024,
    transformer=(
        Signature(
            "native",
            {
                "mlp_t5.0.weight": None,
                "text_embedding_padding": None,
                "blocks.0.default_modulation.1.weight": None,
                "x_embedder.proj.weight": None,
                "pooler.positional_embedding": None,
                "final_layer.linear.weight": None,
            },
        ),
        Signature(
            "diffusers",
            {
                "text_embedder.linear_1.weight": None,
                "text_embedding_padding": None,
                "blocks.0.norm1.linear.weight": None,
                "pos_embed.proj.weight": None,
                "time_extra_emb.pooler.positional_embedding": None,
                "proj_out.weight": None,
            },
        ),
    ),
    vae_of="sdxl",
    modelspec_architectures=("hunyuan-dit",),
    hub_names=("Hunyuan 1",),
    name_marks=("hunyuandit", "hunyuan-dit", "hydit"),
    lora_modules={
        "blocks_#_attn1_to_q": ((1408, 1408),),
        "blocks_#_attn2_to_k": ((1408, 1024),),
    },
)
