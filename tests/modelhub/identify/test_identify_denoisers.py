"""Every denoiser that has a family is told from every other, in each layout and under each prefix."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
from diffusers.loaders import single_file_utils

from modelhub.families import known
from modelhub.kinds import Kind
from tests import architectures, natives, tables
from tests.cases import Case, told, top_claims

CONVERTERS = {
    "SD3Transformer2DModel": "convert_sd3_transformer_checkpoint_to_diffusers",
    "FluxTransformer2DModel": "convert_flux_transformer_checkpoint_to_diffusers",
    "Flux2Transformer2DModel": "convert_flux2_transformer_checkpoint_to_diffusers",
    "Flux3Transformer2DModel": "convert_flux3_transformer_checkpoint_to_diffusers",
    "ChromaTransformer2DModel": "convert_chroma_transformer_checkpoint_to_diffusers",
    "QwenImage21Transformer2DModel": "convert_qwen_image21_transformer_checkpoint_to_diffusers",
    "ZImageTransformer2DModel": "convert_z_image_transformer_checkpoint_to_diffusers",
    "Lumina2Transformer2DModel": "convert_lumina2_to_diffusers",
    "Krea2Transformer2DModel": "convert_krea2_transformer_checkpoint_to_diffusers",
    "CosmosTransformer3DModel": "convert_cosmos_transformer_checkpoint_to_diffusers",
    "AuraFlowTransformer2DModel": "convert_auraflow_transformer_checkpoint_to_diffusers",
    "SanaTransformer2DModel": "convert_sana_transformer_to_diffusers",
    "StableCascadeUNet": "convert_stable_cascade_unet_single_file_to_diffusers",
    "WanTransformer3DModel": "convert_wan_transformer_to_diffusers",
    "WanVACETransformer3DModel": "convert_wan_transformer_to_diffusers",
    "HunyuanVideoTransformer3DModel": "convert_hunyuan_video_transformer_to_diffusers",
    "LTXVideoTransformer3DModel": "convert_ltx_transformer_checkpoint_to_diffusers",
}
ANIMA: tables.Shapes = {"llm_adapter.embed.weight": (32128, 1024), "llm_adapter.norm.weight": (1024,)}
DIFFUSERS_TRANSFORMERS = tuple(name for name in architectures.TRANSFORMERS if name != "anima")
SIZES = {
    "sd1": 859_520_964,
    "sd2": 865_910_724,
    "sdxl": 2_567_463_684,
    "flux1 dev": 11_901_408_320,
    "flux1 schnell": 11_891_178_560,
    "sd3 3.0-medium": 2_028_328_000,
    "z-image": 6_154_908_736,
    "qwen-image": 20_430_401_088,
}
"""Parameters of the published files."""
BY_NAMES_ALONE: Mapping[str, tuple[tables.Shapes, dict[str, object]]] = {
    "chroma radiance": (
        {
            "distilled_guidance_layer.in_proj.weight": (5120, 64),
            "double_blocks.0.img_attn.qkv.weight": (9216, 3072),
            "single_blocks.0.linear1.weight": (21504, 3072),
            "img_in_patch.weight": (3072, 3, 16, 16),
            "txt_in.weight": (3072, 4096),
            "nerf_blocks.0.norm.scale": (64,),
        },
        {"family": "chroma", "variant": "radiance"},
    ),
    "pixart by its authors": (
        {
            "x_embedder.proj.weight": (1152, 4, 2, 2),
            "y_embedder.y_proj.fc1.weight": (1152, 4096),
            "t_block.1.weight": (6912, 1152),
            "csize_embedder.mlp.0.weight": (384, 256),
            "blocks.0.cross_attn.q_linear.weight": (1152, 1152),
            "blocks.0.mlp.fc1.weight": (4608, 1152),
            "final_layer.linear.weight": (32, 1152),
        },
        {"family": "pixart", "variant": "alpha", "context_width": 4096},
    ),
    "hunyuan-dit by its authors": (
        {
            "text_embedding_padding": (333, 1024),
            "mlp_t5.0.weight": (8192, 2048),
            "pooler.positional_embedding": (257, 2048),
            "x_embedder.proj.weight": (1408, 4, 2, 2),
            "blocks.0.default_modulation.1.weight": (1408, 1408),
            "final_layer.linear.weight": (32, 1408),
        },
        {"family": "hunyuan-dit", "variant": None},
    ),
    "omnigen2": (
        {
            "x_embedder.weight": (2520, 64),
            "ref_image_patch_embedder.weight": (2520, 64),
            "image_index_embedding": (5, 2520),
            "time_caption_embed.caption_embedder.1.weight": (2520, 2048),
            "layers.0.norm1.linear.weight": (10080, 1024),
            "layers.0.attn.to_q.weight": (2520, 2520),
            "norm_out.linear_2.weight": (64, 2520),
        },
        {"family": "omnigen2", "variant": None, "context_width": 2048},
    ),
    "hunyuan-video repacked": (
        {
            "img_in.proj.weight": (3072, 16, 1, 2, 2),
            "txt_in.individual_token_refiner.blocks.0.norm1.weight": (3072,),
            "txt_in.input_embedder.weight": (3072, 4096),
            "vector_in.in_layer.weight": (3072, 768),
            "double_blocks.0.img_attn.qkv.weight": (9216, 3072),
            "single_blocks.0.linear1.weight": (21504, 3072),
            "final_layer.linear.weight": (64, 3072),
        },
        {"family": "hunyuan-video", "variant": None},
    ),
}


def under(prefix: str, shapes: tables.Shapes) -> tables.Shapes:
    return {prefix + name: shape for name, shape in shapes.items()}


def known_as(name: str, layout: str) -> dict[str, object]:
    """``sd3 3.5-large`` -> what that says; ``sd1 inpaint`` likewise."""
    family, _, variant = name.partition(" ")
    return {"kind": "unet", "family": family, "variant": variant or None, "format": f"safetensors/{layout}"}


def authors_transformer(name: str) -> tables.Shapes:
    shapes = natives.authors_transformer(name)
    return {**shapes, **ANIMA} if name == "anima" else shapes


def meta(shapes: tables.Shapes) -> dict[str, torch.Tensor]:
    return {name: torch.empty(shape, device="meta") for name, shape in shapes.items()}


def shapes_of(tensors: Mapping[str, torch.Tensor]) -> tables.Shapes:
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


@pytest.mark.parametrize("name", natives.NATIVE)
def test_diffusers_converter_makes_its_own_table_of_the_authors_one(name: str) -> None:
    architectures.class_of(architectures.TRANSFORMERS[name][0])
    converter = getattr(single_file_utils, CONVERTERS[architectures.TRANSFORMERS[name][0]])
    table = natives.authors_transformer(name)
    assert shapes_of(converter(meta(table))) == architectures.transformer(name)


@pytest.mark.parametrize("name", natives.LDM)
def test_diffusers_converter_makes_its_own_table_of_latent_diffusions(name: str) -> None:
    config: dict[str, Any] = {"layers_per_block": 2, **architectures.UNETS[name][1]}
    converted = single_file_utils.convert_ldm_unet_checkpoint(
        meta(under("model.diffusion_model.", natives.authors_unet(name))), config
    )
    whole = architectures.unet(name)
    assert shapes_of(converted) == {key: shape for key, shape in whole.items() if "encoder_hid_proj" not in key}


@pytest.mark.parametrize("name", SIZES)
def test_tables_have_as_many_parameters_as_the_published_files(name: str) -> None:
    made = architectures.unet if name in architectures.UNETS else architectures.transformer
    buffers = ("pos_embed.pos_embed",)
    assert sum(math.prod(shape) for key, shape in made(name).items() if key not in buffers) == SIZES[name]


@pytest.mark.parametrize("name", architectures.UNETS)
def test_a_unet_is_known_in_diffusers_names(name: str) -> None:
    case = Case(architectures.unet(name), known_as(name, "diffusers"))
    assert told(case) == case.expected


@pytest.mark.parametrize("name", natives.LDM)
def test_a_unet_is_known_in_latent_diffusions_names(name: str) -> None:
    case = Case(natives.authors_unet(name), known_as(name, "ldm"))
    assert told(case) == case.expected


@pytest.mark.parametrize("name", DIFFUSERS_TRANSFORMERS)
def test_a_transformer_is_known_in_diffusers_names(name: str) -> None:
    case = Case(architectures.transformer(name), known_as(name, "diffusers"))
    assert told(case) == case.expected


@pytest.mark.parametrize("name", natives.NATIVE)
def test_a_transformer_is_known_in_its_authors_names(name: str) -> None:
    case = Case(authors_transformer(name), known_as(name, "native"))
    assert told(case) == case.expected


@pytest.mark.parametrize(("shapes", "expected"), BY_NAMES_ALONE.values(), ids=BY_NAMES_ALONE)
def test_a_transformer_that_diffusers_does_not_convert_is_known_by_its_names(
    shapes: tables.Shapes, expected: dict[str, object]
) -> None:
    case = Case(shapes, expected)
    assert told(case) == case.expected


@pytest.mark.parametrize(
    "prefix",
    ["model.diffusion_model.", "diffusion_model.", "model.model.", "net.", "model.", "transformer.", "unet."],
)
@pytest.mark.parametrize("name", ["flux1 fill", "z-image", "anima", "wan t2v-1.3b"])
def test_a_transformer_is_known_under_whatever_prefix(name: str, prefix: str) -> None:
    case = Case(under(prefix, authors_transformer(name)), known_as(name, "native"))
    assert told(case) == case.expected


@pytest.mark.parametrize("prefix", ["model.diffusion_model.", "diffusion_model.", "unet."])
def test_a_unet_is_known_under_whatever_prefix(prefix: str) -> None:
    case = Case(under(prefix, natives.authors_unet("sdxl")), known_as("sdxl", "ldm"))
    assert told(case) == case.expected


@pytest.mark.parametrize(
    ("made", "name"),
    [
        *((architectures.unet, name) for name in architectures.UNETS),
        *((architectures.transformer, name) for name in DIFFUSERS_TRANSFORMERS),
        *((natives.authors_unet, name) for name in natives.LDM),
        *((authors_transformer, name) for name in natives.NATIVE),
    ],
)
def test_one_kind_alone_claims_a_denoiser_most_strongly(made: Callable[[str], tables.Shapes], name: str) -> None:
    (claim,) = top_claims(Case(made(name), {}))
    assert claim.kind is Kind.UNET


@pytest.mark.parametrize("name", natives.NATIVE)
def test_no_two_layouts_fit_one_transformer_equally_well(name: str) -> None:
    shapes = authors_transformer(name)
    fitting = [
        (len(layout.requires), family.name)
        for family in known().values()
        for layout in family.transformer
        if layout.requires.keys() <= shapes.keys() and not shapes.keys() & set(layout.absent)
    ]
    assert [count for count, _ in fitting].count(max(fitting)[0]) == 1


@pytest.mark.parametrize(
    ("name", "width"),
    {"kolors": 4096, "svd": 1024, "sdxl": 2048, "sdxl-refiner": 1280, "sd-x4-upscaler": 1024}.items(),
)
def test_text_must_be_as_wide_as_what_the_unet_takes(name: str, width: int) -> None:
    assert told(Case(architectures.unet(name), {"context_width": width})) == {"context_width": width}


def test_what_enters_says_more_than_how_deep_it_is() -> None:
    shapes = {**architectures.unet("sdxl ssd-1b"), "conv_in.weight": (320, 9, 3, 3)}
    assert told(Case(shapes, {"variant": "inpaint"})) == {"variant": "inpaint"}


def test_channels_that_no_variant_has_are_told_as_such() -> None:
    shapes = {**architectures.unet("sd1"), "conv_in.weight": (320, 13, 3, 3)}
    assert told(Case(shapes, {"family": "sd1", "variant": "13-channel"})) == {"family": "sd1", "variant": "13-channel"}


def test_playground_is_known_by_its_markers() -> None:
    case = Case(
        {**under("model.diffusion_model.", natives.authors_unet("sdxl")), "edm_mean": (4,), "edm_std": (4,)},
        {"family": "sdxl", "variant": "playground-v2.5", "prediction_type": "edm"},
    )
    assert told(case) == case.expected


def test_zero123_is_told_from_pix2pix_by_its_projection() -> None:
    unet = under("model.diffusion_model.", natives.authors_unet("sd1 pix2pix"))
    case = Case({**unet, "cc_projection.weight": (768, 772)}, {"family": "sd1", "variant": "zero123"})
    assert told(case) == case.expected


def test_anima_is_known_in_a_folder_too() -> None:
    cosmos = under("transformer.", architectures.transformer("anima"))
    case = Case({**cosmos, "text_conditioner.embed.weight": (32128, 1024)}, {"kind": "unet", "family": "anima"})
    assert told(case) == case.expected


def test_cosmos_without_animas_adapter_is_nothing_that_we_know() -> None:
    assert told(Case(architectures.transformer("anima"), {"kind": "unknown"})) == {"kind": "unknown"}


def test_qwen_image_edit_is_known_by_its_marker() -> None:
    shapes = {**architectures.transformer("qwen-image"), "__index_timestep_zero__": (0,)}
    case = Case(shapes, {"family": "qwen-image", "variant": "edit"})
    assert told(case) == case.expected


def test_a_distilled_flux3_is_known_by_the_time_it_jumps_to() -> None:
    shapes = {**authors_transformer("flux3"), "ref_time_in.in_layer.weight": (3072, 256)}
    assert told(Case(shapes, {"variant": "distilled"})) == {"variant": "distilled"}


@pytest.mark.parametrize(
    ("shapes", "name", "variant"),
    [
        ("flux2 klein-4b", "flux-2-klein-base-4b", "klein-4b-base"),
        ("flux2 klein-4b", "flux-2-klein-4b", "klein-4b"),
        ("flux2 dev", "my-base", "dev"),
        ("z-image", "z_image_turbo_bf16", "turbo"),
        ("z-image", "z_image", None),
        ("flux1 dev", "flux1-kontext-dev", "kontext"),
        ("flux1 schnell", "flux1-kontext", "schnell"),
        ("sd3 3.5-large", "sd3.5_large_turbo", "3.5-large-turbo"),
    ],
)
def test_a_name_tells_the_variants_that_shapes_do_not(shapes: str, name: str, variant: str | None) -> None:
    case = Case(authors_transformer(shapes), {"variant": variant}, name=name)
    assert told(case) == case.expected
