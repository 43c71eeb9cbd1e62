"""HunyuanVideo (https://arxiv.org/abs/2412.03603)."""

from modelhub.families._family import Family, Latent, Signature

FAMILY = Family(
    name="hunyuan-video",
    title="HunyuanVideo",
    prediction_type="flow",
    latent=Latent(channels=16, scale=0.476986, downscale=8),
    resolution=720,
    context_width=4096,
    transformer=(
        Signature(
            "native",
            {
                "txt_in.individual_token_refiner.blocks.0.norm1.weight": None,
                "txt_in.input_embedder.weight": None,
                "img_in.proj.weight": None,
                "vector_in.in_layer.weight": None,
                "single_blocks.0.linear1.weight": None,
                "final_layer.linear.weight": None,
            },
        ),
        Signature(
            "diffusers",
            {
                "context_embedder.token_refiner.refiner_blocks.0.attn.to_q.weight": None,
                "context_embedder.proj_in.weight": None,
                "x_embedder.proj.weight": None,
                "transformer_blocks.0.attn.add_q_proj.weight": None,
                "single_transformer_blocks.0.proj_mlp.weight": None,
                "proj_out.weight": None,
            },
        ),
    ),
    text_entry=("txt_in.input_embedder.weight", "context_embedder.proj_in.weight"),
    vae="causal",
    modelspec_architectures=("hunyuan-video",),
    hub_names=("Hunyuan Video",),
    name_marks=("hunyuan-video", "hunyuanvideo"),
    lora_modules={
        "double_blocks_#_img_attn_qkv": ((9216, 3072),),
        "double_blocks_#_img_attn_proj": ((3072, 3072),),
        "double_blocks_#_img_mlp_fc1": ((12288, 3072),),
        "double_blocks_#_img_mod_linear": ((18432, 3072),),
        "single_blocks_#_linear1": ((21504, 3072),),
        "single_blocks_#_linear2": ((3072, 15360),),
        "single_blocks_#_modulation_linear": ((9216, 3072),),
    },
)
