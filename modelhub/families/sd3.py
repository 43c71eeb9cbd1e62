"""Stable Diffusion 3 and 3.5 (Esser et al. 2024, https://arxiv.org/abs/2403.03206; Stability-AI/sd3.5)."""

from modelhub.families._family import Family, Latent, NamedVariant, Signature

FAMILY = Family(
    name="sd3",
    title="Stable Diffusion 3",
    prediction_type="flow",
    latent=Latent(channels=16, scale=1.5305, downscale=8, shift=0.0609),
    resolution=1024,
    context_width=4096,
    transformer=(
        Signature(
            "native",
            {
                "joint_blocks.0.context_block.attn.qkv.weight": None,
                "joint_blocks.0.x_block.attn.qkv.weight": None,
                "x_embedder.proj.weight": None,
                "context_embedder.weight": None,
                "y_embedder.mlp.0.weight": None,
                "final_layer.linear.weight": None,
            },
        ),
        Signature(
            "diffusers",
            {
                "transformer_blocks.0.attn.add_q_proj.weight": None,
                "pos_embed.proj.weight": None,
                "context_embedder.weight": None,
                "time_text_embed.text_embedder.linear_1.weight": None,
                "norm_out.linear.weight": None,
                "proj_out.weight": None,
            },
        ),
    ),
    variants=(
        Signature(
            "3.0-medium",
            {"joint_blocks.0.x_block.attn.qkv.weight": None},
            absent=("joint_blocks.0.x_block.attn.ln_q.weight",),
        ),
        Signature(
            "3.0-medium",
            {"transformer_blocks.0.attn.add_q_proj.weight": None},
            absent=("transformer_blocks.0.attn.norm_q.weight",),
        ),
        Signature("3.5-medium", {"joint_blocks.0.x_block.attn2.qkv.weight": None}),
        Signature("3.5-medium", {"transformer_blocks.0.attn2.to_q.weight": None}),
        Signature(
            "3.5-large",
            {"joint_blocks.0.x_block.attn.ln_q.weight": None, "joint_blocks.37.x_block.attn.qkv.weight": None},
        ),
        Signature(
            "3.5-large",
            {"transformer_blocks.0.attn.norm_q.weight": None, "transformer_blocks.37.attn.to_q.weight": None},
        ),
    ),
    named_variants=(NamedVariant("3.5-large-turbo", "turbo", among="3.5-large"),),
    text_entry=("context_embedder.weight",),
    modelspec_architectures=("stable-diffusion-3",),
    base_versions=("sd3",),
    hub_names=("SD 3", "SD 3.5", "SD 3.5 Large", "SD 3.5 Large Turbo", "SD 3.5 Medium"),
    name_marks=("sd3", "sd3.5", "sd35"),
    lora_modules={
        "joint_blocks_#_x_block_attn_qkv": ((None, 1536), (None, 2432)),
        "joint_blocks_#_x_block_attn_proj": ((None, 1536), (None, 2432)),
        "joint_blocks_#_context_block_attn_qkv": ((None, 1536), (None, 2432)),
        "transformer_blocks_#_attn_to_q": ((None, 1536), (None, 2432)),
        "transformer_blocks_#_attn_add_q_proj": ((None, 1536), (None, 2432)),
        "transformer_blocks_#_ff_net_0_proj": ((None, 1536), (None, 2432)),
        "transformer_blocks_#_attn2_to_q": ((None, 1536), (None, 2432)),
    },
)
