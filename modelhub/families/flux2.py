"""FLUX.2 (https://github.com/black-forest-labs/flux2)."""

from modelhub.families._family import Family, Latent, NamedVariant, Signature

FAMILY = Family(
    name="flux2",
    title="FLUX.2",
    prediction_type="flow",
    latent=Latent(channels=32, scale=1.0, downscale=8),
    resolution=1024,
    context_width=15360,
    transformer=(
        Signature(
            "native",
            {
                "single_stream_modulation.lin.weight": None,
                "double_stream_modulation_img.lin.weight": None,
                "double_blocks.0.img_attn.qkv.weight": None,
                "img_in.weight": None,
                "txt_in.weight": None,
                "final_layer.linear.weight": None,
            },
        ),
        Signature(
            "diffusers",
            {
                "single_stream_modulation.linear.weight": None,
                "double_stream_modulation_img.linear.weight": None,
                "single_transformer_blocks.0.attn.to_qkv_mlp_proj.weight": None,
                "x_embedder.weight": None,
                "context_embedder.weight": None,
                "proj_out.weight": None,
            },
        ),
    ),
    variants=(
        Signature("klein-4b", {"txt_in.weight": (None, 7680)}),
        Signature("klein-4b", {"context_embedder.weight": (None, 7680)}),
        Signature("klein-9b", {"txt_in.weight": (None, 12288)}),
        Signature("klein-9b", {"context_embedder.weight": (None, 12288)}),
        Signature("dev", {"txt_in.weight": (None, 15360)}),
        Signature("dev", {"context_embedder.weight": (None, 15360)}),
    ),
    named_variants=(
        NamedVariant("klein-4b-base", "base", among="klein-4b"),
        NamedVariant("klein-9b-base", "base", among="klein-9b"),
    ),
    text_entry=("txt_in.weight", "context_embedder.weight"),
    modelspec_architectures=("flux-2",),
    base_versions=("flux2",),
    hub_names=("Flux.2 D", "Flux.2 Klein 9B", "Flux.2 Klein 9B-base", "Flux.2 Klein 4B", "Flux.2 Klein 4B-base"),
    name_marks=("flux2",),
    ordinary_marks=("klein",),
    lora_modules={
        "double_blocks_#_img_attn_qkv": ((9216, 3072), (12288, 4096), (18432, 6144)),
        "double_blocks_#_img_attn_proj": ((3072, 3072), (4096, 4096), (6144, 6144)),
        "double_blocks_#_img_mlp_0": ((18432, 3072), (24576, 4096), (36864, 6144)),
        "single_blocks_#_linear1": ((27648, 3072), (36864, 4096), (55296, 6144)),
        "single_blocks_#_linear2": ((3072, 12288), (4096, 16384), (6144, 24576)),
        "transformer_blocks_#_attn_to_q": ((3072, 3072), (4096, 4096), (6144, 6144)),
        "transformer_blocks_#_attn_to_k": ((3072, 3072), (4096, 4096), (6144, 6144)),
        "transformer_blocks_#_attn_add_q_proj": ((3072, 3072), (4096, 4096), (6144, 6144)),
        "transformer_blocks_#_ff_linear_in": ((18432, 3072), (24576, 4096), (36864, 6144)),
        "single_transformer_blocks_#_attn_to_qkv_mlp_proj": ((27648, 3072), (36864, 4096), (55296, 6144)),
        "single_transformer_blocks_#_attn_to_out": ((3072, 12288), (4096, 16384), (6144, 24576)),
    },
)
