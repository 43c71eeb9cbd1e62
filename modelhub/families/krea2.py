"""Krea 2 (krea/Krea-2-Raw; names and shapes of diffusers' class and converter)."""

from modelhub.families._family import Family, Latent, NamedVariant, Signature

FAMILY = Family(
    name="krea-2",
    title="Krea 2",
    prediction_type="flow",
    latent=Latent(channels=16, scale=1.0, downscale=8),
    resolution=1024,
    context_width=2560,
    transformer=(
        Signature(
            "native",
            {
                "txtfusion.projector.weight": None,
                "blocks.0.attn.gate.weight": None,
                "first.weight": None,
                "txtmlp.1.weight": None,
                "tproj.1.weight": None,
                "last.linear.weight": None,
            },
        ),
        Signature(
            "diffusers",
            {
                "text_fusion.projector.weight": None,
                "transformer_blocks.0.attn.to_gate.weight": None,
                "img_in.weight": None,
                "txt_in.linear_1.weight": None,
                "time_mod_proj.weight": None,
                "final_layer.linear.weight": None,
            },
        ),
    ),
    named_variants=(
        NamedVariant("raw", "raw"),
        NamedVariant("turbo", "turbo"),
    ),
    text_entry=("txtmlp.1.weight", "txt_in.linear_1.weight"),
    vae="wan",
    vae_of="qwen-image",
    modelspec_architectures=("krea-2",),
    name_marks=("krea2", "krea-2"),
    ordinary_marks=("krea",),
    lora_modules={
        "blocks_#_attn_wq": ((6144, 6144),),
        "blocks_#_attn_wk": ((1536, 6144),),
        "blocks_#_attn_gate": ((6144, 6144),),
        "transformer_blocks_#_attn_to_q": ((6144, 6144),),
        "transformer_blocks_#_attn_to_k": ((1536, 6144),),
        "transformer_blocks_#_attn_to_gate": ((6144, 6144),),
        "transformer_blocks_#_ff_gate": ((16384, 6144),),
    },
)
