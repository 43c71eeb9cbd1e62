"""LTX-Video and LTX-2 (https://arxiv.org/abs/2501.00103)."""

from modelhub.families._family import Family, Latent, Signature

FAMILY = Family(
    name="ltx",
    title="LTX-Video",
    prediction_type="flow",
    latent=Latent(channels=128, scale=1.0, downscale=32),
    resolution=704,
    context_width=4096,
    transformer=(
        Signature(
            "native",
            {
                "patchify_proj.weight": None,
                "adaln_single.linear.weight": None,
                "transformer_blocks.0.attn1.to_q.weight": None,
                "transformer_blocks.0.scale_shift_table": None,
                "scale_shift_table": None,
                "proj_out.weight": None,
            },
        ),
        Signature(
            "diffusers",
            {
                "proj_in.weight": None,
                "time_embed.linear.weight": None,
                "transformer_blocks.0.attn1.to_q.weight": None,
                "transformer_blocks.0.scale_shift_table": None,
                "scale_shift_table": None,
                "proj_out.weight": None,
            },
            absent=("patch_embed.proj.weight",),
        ),
    ),
    variants=(
        Signature("ltx-2", {"av_ca_a2v_gate_adaln_single.emb.timestep_embedder.linear_1.weight": None}),
        Signature(
            "ltx-2",
            {
                "audio_proj_in.weight": None,
                "transformer_blocks.0.attn1.to_q.weight": None,
            },
        ),
    ),
    text_entry=("caption_projection.linear_1.weight",),
    vae="causal",
    modelspec_architectures=("ltx",),
    hub_names=("LTXV", "LTXV2", "LTXV 2.3"),
    name_marks=("ltx-video", "ltxv", "ltx"),
    lora_modules={
        "transformer_blocks_#_attn1_to_q": ((2048, 2048),),
        "transformer_blocks_#_attn2_to_k": ((2048, 2048),),
        "transformer_blocks_#_ff_net_0_proj": ((8192, 2048),),
    },
)
