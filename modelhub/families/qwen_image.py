"""Qwen-Image and Qwen-Image-Edit (https://arxiv.org/abs/2508.02324)."""

from modelhub.families._family import Family, Latent, NamedVariant, Signature

FAMILY = Family(
    name="qwen-image",
    title="Qwen-Image",
    prediction_type="flow",
    latent=Latent(channels=16, scale=1.0, downscale=8),
    resolution=1024,
    context_width=3584,
    transformer=(
        Signature(
            "diffusers",
            {
                "transformer_blocks.0.img_mod.1.weight": None,
                "transformer_blocks.0.attn.add_q_proj.weight": None,
                "img_in.weight": None,
                "txt_in.weight": None,
                "txt_norm.weight": None,
                "norm_out.linear.weight": None,
                "proj_out.weight": None,
            },
        ),
    ),
    variants=(Signature("edit", {"__index_timestep_zero__": None}),),
    named_variants=(NamedVariant("edit", "edit"),),
    text_entry=("txt_in.weight",),
    vae="wan",
    vae_names=("qwen image vae",),
    modelspec_architectures=("qwen-image",),
    base_versions=("qwen_image",),
    hub_names=("Qwen", "Qwen 2"),
    name_marks=("qwen", "qwen-image"),
    lora_modules={
        "transformer_blocks_#_attn_to_q": ((3072, 3072),),
        "transformer_blocks_#_attn_add_q_proj": ((3072, 3072),),
        "transformer_blocks_#_img_mlp_net_0_proj": ((12288, 3072),),
        "transformer_blocks_#_txt_mlp_net_0_proj": ((12288, 3072),),
        "transformer_blocks_#_img_mod_1": ((18432, 3072),),
    },
)
