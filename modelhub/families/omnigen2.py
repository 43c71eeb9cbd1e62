"""OmniGen2 (https://arxiv.org/abs/2506.18871)."""

from modelhub.families._family import Family, Latent, Signature

FAMILY = Family(
    name="omnigen2",
    title="OmniGen2",
    prediction_type="flow",
    latent=Latent(channels=16, scale=0.3611, downscale=8, shift=0.1159),
    resolution=1024,
    context_width=2048,
    transformer=(
        Signature(
            "diffusers",
            {
                "ref_image_patch_embedder.weight": None,
                "image_index_embedding": None,
                "layers.0.norm1.linear.weight": None,
                "layers.0.attn.to_q.weight": None,
                "x_embedder.weight": None,
                "time_caption_embed.caption_embedder.1.weight": None,
                "norm_out.linear_2.weight": None,
            },
        ),
    ),
    text_entry=("time_caption_embed.caption_embedder.1.weight",),
    vae_of="flux1",
    modelspec_architectures=("omnigen2",),
    name_marks=("omnigen2",),
)
