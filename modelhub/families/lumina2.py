"""Lumina-Image 2.0 (https://arxiv.org/abs/2503.21758)."""

from modelhub.families._family import Family, Latent, Signature

FAMILY = Family(
    name="lumina2",
    title="Lumina-Image 2.0",
    prediction_type="flow",
    latent=Latent(channels=16, scale=0.3611, downscale=8, shift=0.1159),
    resolution=1024,
    context_width=2304,
    transformer=(
        Signature(
            "native",
            {
                "layers.0.adaLN_modulation.1.weight": None,
                "layers.0.attention.qkv.weight": None,
                "context_refiner.0.attention.qkv.weight": None,
                "x_embedder.weight": None,
                "cap_embedder.1.weight": None,
                "final_layer.linear.weight": None,
            },
        ),
        Signature(
            "diffusers",
            {
                "layers.0.norm1.linear.weight": None,
                "layers.0.attn.to_q.weight": None,
                "x_embedder.weight": None,
                "time_caption_embed.caption_embedder.1.weight": None,
                "norm_out.linear_2.weight": None,
            },
            absent=("ref_image_patch_embedder.weight",),
        ),
    ),
    text_entry=("cap_embedder.1.weight", "time_caption_embed.caption_embedder.1.weight"),
    vae_of="flux1",
    modelspec_architectures=("lumina-2",),
    base_versions=("lumina2",),
    hub_names=("Lumina",),
    name_marks=("lumina2", "lumina-image"),
    ordinary_marks=("lumina",),
    lora_modules={
        "layers_#_attention_qkv": ((3840, 2304),),
        "layers_#_attention_out": ((2304, 2304),),
        "layers_#_attn_to_q": ((2304, 2304),),
        "layers_#_feed_forward_w1": ((None, 2304),),
        "layers_#_adaLN_modulation_1": ((9216, 1024),),
        "layers_#_feed_forward_linear_1": ((None, 2304),),
    },
)
