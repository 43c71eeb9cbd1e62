"""FLUX.3 (black-forest-labs/flux-3-image-klein; names and shapes of diffusers' class and converter)."""

from modelhub.families._family import Family, Latent, Signature

FAMILY = Family(
    name="flux3",
    title="FLUX.3",
    prediction_type="flow",
    latent=Latent(channels=32, scale=1.0, downscale=8),
    resolution=1024,
    context_width=20480,
    transformer=(
        Signature(
            "native",
            {
                "early_stream_modulations.image.lin.weight": None,
                "content_mode_blocks.image.0.q_proj.weight": None,
                "single_blocks.0.q_proj.weight": None,
                "emb_in.image.weight": None,
                "txt_in.weight": None,
                "final_layer.image.linear.weight": None,
            },
        ),
        Signature(
            "diffusers",
            {
                "early_stream_modulations.image.linear.weight": None,
                "mode_blocks.image.0.attn.to_q.weight": None,
                "single_transformer_blocks.0.attn.to_q.weight": None,
                "x_embedders.image.weight": None,
                "context_embedder.weight": None,
                "proj_out.weight": None,
            },
        ),
    ),
    variants=(
        Signature("distilled", {"ref_time_in.in_layer.weight": None}),
        Signature("distilled", {"target_timestep_embedder.linear_1.weight": None}),
    ),
    text_entry=("txt_in.weight", "context_embedder.weight"),
    vae_of="flux2",
    modelspec_architectures=("flux-3",),
    base_versions=("flux3",),
    name_marks=("flux3",),
)
