"""Stable Cascade: stage C draws 16 channels, stage B refines them (https://arxiv.org/abs/2306.00637)."""

from modelhub.families._family import Family, Latent, Signature

FAMILY = Family(
    name="cascade",
    title="Stable Cascade",
    prediction_type="epsilon",
    latent=Latent(channels=16, scale=1.0, downscale=42),
    resolution=1024,
    context_width=1280,
    transformer=(
        Signature(
            "native",
            {
                "clip_txt_mapper.weight": None,
                "clip_img_mapper.weight": None,
                "clip_txt_pooled_mapper.weight": None,
                "embedding.1.weight": None,
                "down_blocks.0.2.attention.attn.in_proj_weight": None,
                "clf.1.weight": None,
            },
        ),
        Signature(
            "diffusers",
            {
                "clip_txt_mapper.weight": None,
                "clip_img_mapper.weight": None,
                "clip_txt_pooled_mapper.weight": None,
                "embedding.1.weight": None,
                "down_blocks.0.2.attention.to_q.weight": None,
                "clf.1.weight": None,
            },
        ),
        Signature(
            "native",
            {
                "clip_mapper.weight": None,
                "effnet_mapper.0.weight": None,
                "pixels_mapper.0.weight": None,
                "embedding.1.weight": None,
                "clf.1.weight": None,
            },
        ),
        Signature(
            "diffusers",
            {
                "clip_txt_pooled_mapper.weight": None,
                "effnet_mapper.0.weight": None,
                "pixels_mapper.0.weight": None,
                "embedding.1.weight": None,
                "clf.1.weight": None,
            },
        ),
    ),
    variants=(
        Signature("stage-c", {"clip_txt_mapper.weight": None}),
        Signature("stage-b", {"effnet_mapper.0.weight": None}),
    ),
    text_entry=("clip_txt_mapper.weight",),
    vae="cascade",
    modelspec_architectures=("stable-cascade",),
    hub_names=("Stable Cascade",),
    name_marks=("cascade-stage", "stable-cascade"),
    ordinary_marks=("cascade",),
)
