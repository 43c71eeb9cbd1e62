"""Chroma, FLUX.1 without its modulation layers (lodestones/Chroma)."""

from modelhub.families._family import Family, Latent, Signature

FAMILY = Family(
    name="chroma",
    title="Chroma",
    prediction_type="flow",
    latent=Latent(channels=16, scale=0.3611, downscale=8, shift=0.1159),
    resolution=1024,
    context_width=4096,
    transformer=(
        Signature(
            "native",
            {
                "distilled_guidance_layer.in_proj.weight": None,
                "double_blocks.0.img_attn.qkv.weight": None,
                "single_blocks.0.linear1.weight": None,
                "img_in.weight": None,
                "txt_in.weight": None,
                "final_layer.linear.weight": None,
            },
        ),
        Signature(
            "native",
            {
                "distilled_guidance_layer.in_proj.weight": None,
                "double_blocks.0.img_attn.qkv.weight": None,
                "single_blocks.0.linear1.weight": None,
                "img_in_patch.weight": None,
                "txt_in.weight": None,
                "nerf_blocks.0.norm.scale": None,
            },
        ),
        Signature(
            "diffusers",
            {
                "distilled_guidance_layer.in_proj.weight": None,
                "single_transformer_blocks.0.proj_mlp.weight": None,
                "transformer_blocks.0.attn.add_q_proj.weight": None,
                "x_embedder.weight": None,
                "context_embedder.weight": None,
                "proj_out.weight": None,
            },
        ),
    ),
    variants=(Signature("radiance", {"nerf_blocks.0.norm.scale": None}),),
    text_entry=("txt_in.weight", "context_embedder.weight"),
    vae_of="flux1",
    modelspec_architectures=("chroma",),
    base_versions=("chroma",),
    hub_names=("Chroma",),
    name_marks=("chroma1", "chroma-hd", "chroma-unlocked", "chroma-radiance"),
    ordinary_marks=("chroma",),
    lora_modules={
        "double_blocks_#_img_attn_qkv": ((9216, 3072),),
        "double_blocks_#_img_attn_proj": ((3072, 3072),),
        "double_blocks_#_img_mlp_0": ((12288, 3072),),
        "single_blocks_#_linear1": ((21504, 3072),),
        "single_blocks_#_linear2": ((3072, 15360),),
        "transformer_blocks_#_attn_to_q": ((3072, 3072),),
        "transformer_blocks_#_attn_add_q_proj": ((3072, 3072),),
        "transformer_blocks_#_ff_net_0_proj": ((12288, 3072),),
        "single_transformer_blocks_#_attn_to_q": ((3072, 3072),),
        "single_transformer_blocks_#_proj_mlp": ((12288, 3072),),
        "single_transformer_blocks_#_proj_out": ((3072, 15360),),
        "distilled_guidance_layer_layers_#_in_layer": ((5120, 5120),),
        "distilled_guidance_layer_layers_#_linear_1": ((5120, 5120),),
    },
)
