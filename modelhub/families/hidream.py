"""HiDream-I1 and HiDream-E1 (https://arxiv.org/abs/2505.22705); its own names are diffusers'."""

from modelhub.families._family import Family, Latent, NamedVariant, Signature

FAMILY = Family(
    name="hidream",
    title="HiDream",
    prediction_type="flow",
    latent=Latent(channels=16, scale=0.3611, downscale=8, shift=0.1159),
    resolution=1024,
    context_width=4096,
    transformer=(
        Signature(
            "diffusers",
            {
                "double_stream_blocks.0.block.adaLN_modulation.1.weight": None,
                "single_stream_blocks.0.block.adaLN_modulation.1.weight": None,
                "x_embedder.proj.weight": None,
                "caption_projection.0.linear.weight": None,
                "p_embedder.pooled_embedder.linear_1.weight": None,
                "final_layer.linear.weight": None,
            },
        ),
    ),
    named_variants=(
        NamedVariant("edit", "e1"),
        NamedVariant("full", "full"),
        NamedVariant("dev", "dev"),
        NamedVariant("fast", "fast"),
    ),
    text_entry=("caption_projection.0.linear.weight",),
    vae_of="flux1",
    modelspec_architectures=("hidream",),
    hub_names=("HiDream",),
    name_marks=("hidream",),
    lora_modules={
        "double_stream_blocks_#_block_attn1_to_q": ((2560, 2560),),
        "single_stream_blocks_#_block_attn1_to_q": ((2560, 2560),),
    },
)
