"""Wan 2.1 and 2.2, which draw videos and single frames (https://arxiv.org/abs/2503.20314)."""

from modelhub.families._family import Family, Latent, Signature

FAMILY = Family(
    name="wan",
    title="Wan",
    prediction_type="flow",
    latent=Latent(channels=16, scale=1.0, downscale=8),
    resolution=832,
    context_width=4096,
    transformer=(
        Signature(
            "native",
            {
                "head.modulation": None,
                "head.head.weight": None,
                "blocks.0.self_attn.q.weight": None,
                "blocks.0.cross_attn.k.weight": None,
                "patch_embedding.weight": None,
                "text_embedding.0.weight": None,
            },
        ),
        Signature(
            "diffusers",
            {
                "condition_embedder.time_proj.weight": None,
                "condition_embedder.text_embedder.linear_1.weight": None,
                "blocks.0.attn1.to_q.weight": None,
                "blocks.0.attn2.to_k.weight": None,
                "patch_embedding.weight": None,
                "proj_out.weight": None,
            },
        ),
    ),
    variants=(
        Signature("t2v-14b", {"patch_embedding.weight": (5120, 16, None, None, None)}),
        Signature("t2v-1.3b", {"patch_embedding.weight": (1536, 16, None, None, None)}),
        Signature("i2v-14b", {"patch_embedding.weight": (5120, 36, None, None, None)}),
        Signature("ti2v-5b", {"patch_embedding.weight": (3072, 48, None, None, None)}),
        Signature(
            "vace",
            {
                "vace_blocks.0.after_proj.weight": None,
                "blocks.0.self_attn.q.weight": None,
            },
        ),
        Signature(
            "vace",
            {
                "vace_blocks.0.proj_out.weight": None,
                "blocks.0.attn1.to_q.weight": None,
            },
        ),
        Signature(
            "animate",
            {
                "motion_encoder.dec.direction.weight": None,
                "face_adapter.fuser_blocks.0.linear2.weight": None,
            },
        ),
        Signature(
            "animate",
            {
                "motion_encoder.motion_synthesis_weight": None,
                "patch_embedding.weight": None,
            },
        ),
    ),
    text_entry=("text_embedding.0.weight", "condition_embedder.text_embedder.linear_1.weight"),
    vae="wan",
    other_latents=(48,),
    vae_names=("wan vae",),
    modelspec_architectures=("wan",),
    hub_names=(
        "Wan Video",
        "Wan Video 1.3B t2v",
        "Wan Video 14B t2v",
        "Wan Video 14B i2v 480p",
        "Wan Video 14B i2v 720p",
        "Wan Video 2.2 TI2V-5B",
        "Wan Video 2.2 I2V-A14B",
        "Wan Video 2.2 T2V-A14B",
    ),
    name_marks=("wan2",),
    ordinary_marks=("wan",),
    lora_modules={
        "blocks_#_self_attn_q": ((1536, 1536), (3072, 3072), (5120, 5120)),
        "blocks_#_cross_attn_k": ((1536, 1536), (3072, 3072), (5120, 5120)),
        "blocks_#_ffn_0": ((8960, 1536), (14336, 3072), (13824, 5120)),
        "blocks_#_attn1_to_q": ((1536, 1536), (3072, 3072), (5120, 5120)),
        "blocks_#_attn2_to_k": ((1536, 1536), (3072, 3072), (5120, 5120)),
    },
)
