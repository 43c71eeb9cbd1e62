"""Z-Image (Tongyi-MAI/Z-Image)."""

from modelhub.families._family import Family, Latent, NamedVariant, Signature

FAMILY = Family(
    name="z-image",
    title="Z-Image",
    prediction_type="flow",
    latent=Latent(channels=16, scale=0.3611, downscale=8, shift=0.1159),
    resolution=1024,
    context_width=2560,
    transformer=(
        Signature(
            "native",
            {
                "layers.0.adaLN_modulation.0.weight": None,
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
                "layers.0.adaLN_modulation.0.weight": None,
                "layers.0.attention.to_q.weight": None,
                "context_refiner.0.attention.to_q.weight": None,
                "all_x_embedder.2-1.weight": None,
                "cap_embedder.1.weight": None,
                "all_final_layer.2-1.linear.weight": None,
            },
        ),
    ),
    named_variants=(NamedVariant("turbo", "turbo"), NamedVariant("base", "base")),
    text_entry=("cap_embedder.1.weight",),
    vae_of="flux1",
    modelspec_architectures=("z-image",),
    base_versions=("z_image",),
    hub_names=("ZImageTurbo", "ZImageBase"),
    name_marks=("z_image", "z-image", "zimage"),
    lora_modules={
        "layers_#_attention_qkv": ((11520, 3840),),
        "layers_#_attention_out": ((3840, 3840),),
        "layers_#_attention_to_q": ((3840, 3840),),
        "layers_#_feed_forward_w1": ((10240, 3840),),
        "layers_#_adaLN_modulation_0": ((15360, 256),),
    },
)
