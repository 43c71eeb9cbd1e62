"""VAEs and text encoders alone."""

from dataclasses import replace

import pytest

from modelhub.identify import identify
from modelhub.kinds import Source
from tests import architectures, tables
from tests.cases import Case, told, top_claims

TAESD = {"1.weight": (64, 4, 3, 3), "3.conv.0.weight": (64, 64, 3, 3), "19.weight": (3, 64, 3, 3)}
WAN = {
    "decoder.conv1.weight": (384, 16, 3, 3, 3),
    "decoder.middle.0.residual.0.gamma": (384, 1, 1, 1),
    "decoder.head.2.weight": (3, 96, 3, 3, 3),
}
DIFFUSERS_VAES = {
    "4-channel": (None, "4-channel"),
    "16-channel": (None, "16-channel"),
    "flux2": ("flux2", None),
    "qwen-image": (None, "16-channel"),
    "qwen-image-2.1": ("qwen-image-2.1", None),
    "wan 2.2": ("wan", None),
    "svd": ("svd", None),
    "hunyuan-video": ("hunyuan-video", None),
    "ltx": ("ltx", None),
    "sana": ("sana", None),
    "tiny": (None, "tiny"),
}
"""Name in `architectures.VAES` -> family and variant, when neither header nor name says anything."""
SVD_VAE = {**tables.ldm_vae(), "decoder.mid.block_1.time_stack.in_layers.2.weight": (512, 512, 3, 1, 1)}
SANA_VAE = {"decoder.project_in.conv.weight": (1024, 32, 3, 3), "decoder.project_out.2.conv.weight": (3, 128, 3, 3)}
LTX_VAE = {
    "decoder.conv_in.conv.weight": (1024, 128, 3, 3, 3),
    "decoder.up_blocks.0.res_blocks.0.conv1.conv.weight": (1024, 1024, 3, 3, 3),
}
AUDIO_VAE = {"decoder.layers.1.layers.0.beta": (2048,), "decoder.layers.0.weight_v": (2048, 64, 7)}


def under(prefix: str, shapes: tables.Shapes) -> tables.Shapes:
    return {prefix + name: shape for name, shape in shapes.items()}


@pytest.mark.parametrize("name", DIFFUSERS_VAES)
def test_a_vae_of_diffusers_is_known_by_its_build_and_channels(name: str) -> None:
    family, variant = DIFFUSERS_VAES[name]
    told_of = {"kind": "vae", "family": family, "variant": variant, "format": "safetensors/diffusers"}
    case = Case(architectures.vae(name), told_of)
    assert told(case) == case.expected
    assert len(top_claims(case)) == 1


@pytest.mark.parametrize(
    ("shapes", "family", "variant", "layout"),
    [
        (tables.ldm_vae(), None, "4-channel", "ldm"),
        (tables.ldm_vae(latent=16), None, "16-channel", "ldm"),
        (tables.ldm_vae(latent=32), "flux2", None, "ldm"),
        (WAN, None, "16-channel", "native"),
        (TAESD, None, "tiny", "native"),
        (under("taesd_decoder.", TAESD), None, "tiny", "native"),
        (SVD_VAE, "svd", None, "ldm"),
        (SANA_VAE, "sana", None, "native"),
        (LTX_VAE, "ltx", None, "native"),
    ],
)
@pytest.mark.parametrize("prefix", ["", "first_stage_model.", "vae."])
def test_a_vae_is_known_in_its_authors_names(
    shapes: tables.Shapes, family: str | None, variant: str | None, layout: str, prefix: str
) -> None:
    told_of = {"kind": "vae", "family": family, "variant": variant, "format": f"safetensors/{layout}"}
    case = Case(under(prefix, shapes), told_of)
    assert told(case) == case.expected


@pytest.mark.parametrize("extra", ["quantize.embedding.weight"])
def test_an_autoencoder_of_words_is_no_vae(extra: str) -> None:
    case = Case({**tables.ldm_vae(), extra: (1024, 256)}, {"kind": "vae"})
    assert told(case) != case.expected


def test_an_autoencoder_of_sounds_is_unknown() -> None:
    assert told(Case(AUDIO_VAE, {"kind": "unknown"})) == {"kind": "unknown"}


@pytest.mark.parametrize(
    ("channels", "name", "family"),
    [
        (4, "vae-ft-mse-840000-ema-pruned", "sd1"),
        (4, "sdxl_vae", "sdxl"),
        (4, "sdxl-vae-fp16-fix", "sdxl"),
        (4, "sd15_vae", "sd1"),
        (4, "excellent", None),
        (4, "flux_vae", None),
        (16, "ae", "flux1"),
        (16, "sd3_vae", "sd3"),
        (16, "FLUX VAE", "flux1"),
        (16, "diffusion_pytorch_model", None),
    ],
)
def test_a_name_decides_between_families_whose_vaes_have_one_shape(
    channels: int, name: str, family: str | None
) -> None:
    facts = identify(tables.table(tables.ldm_vae(latent=channels)), name=name)
    assert facts.family == family
    assert family is None or facts.evidence["family"].source is Source.NAME


@pytest.mark.parametrize("name", ["wan_2.1_vae", "Wan2_1_VAE_bf16"])
def test_a_vae_of_videos_is_known_by_its_name(name: str) -> None:
    assert identify(tables.table(WAN), name=name).family == "wan"


def test_the_header_is_believed_before_the_name() -> None:
    says_sd1 = {"modelspec.architecture": "stable-diffusion-v1/vae"}
    facts = identify(tables.table(tables.ldm_vae(), says_sd1), name="sdxl_vae")
    assert (facts.family, facts.evidence["family"].source) == ("sd1", Source.HEADER)
    assert "the name says Stable Diffusion XL" in facts.conflicts[0]


def language_model(words: int, width: int, *more: str) -> tables.Shapes:
    at = "model.layers.0."
    shapes = {"model.embed_tokens.weight": (words, width), f"{at}self_attn.q_proj.weight": (width, width)}
    return {**shapes, **{f"{at}{name}": (width,) for name in more}}


def gguf(width: int, *more: str) -> tables.Shapes:
    names = {"token_embd.weight": (32128, width), "blk.0.attn_q.weight": (width, width)}
    return {**names, **dict.fromkeys(more, (width,))}


NORM, AFTER = "self_attn.q_norm.weight", "post_feedforward_layernorm.weight"
QUERY = "encoder.block.0.layer.0.SelfAttention.q.weight"
UMT5 = "encoder.block.1.layer.0.SelfAttention.relative_attention_bias.weight"
OPENCLIP = {
    "token_embedding.weight": (49408, 1024),
    "positional_embedding": (77, 1024),
    "transformer.resblocks.0.attn.in_proj_weight": (3072, 1024),
}
TEXT_ENCODERS = {
    "clip-l": (tables.clip_text(), "transformers"),
    "clip-h": (tables.clip_text(1024, 2), "transformers"),
    "clip-g": (tables.clip_text(1280, 2), "transformers"),
    "clip-h by OpenCLIP": (OPENCLIP, "openclip"),
    "t5-xxl": ({QUERY: (4096, 4096), "shared.weight": (32128, 4096)}, "transformers"),
    "t5-xl": ({QUERY: (2048, 2048)}, "transformers"),
    "umt5-xxl": ({QUERY: (4096, 4096), UMT5: (32, 64)}, "transformers"),
    "umt5-xxl by its authors": (
        {
            "token_embedding.weight": (256384, 4096),
            "blocks.0.attn.q.weight": (4096, 4096),
            "blocks.0.ffn.gate.0.weight": (10240, 4096),
        },
        "native",
    ),
    "qwen2.5-7b": (language_model(152064, 3584, "self_attn.q_proj.bias"), "transformers"),
    "qwen2.5-3b": (language_model(151936, 2048, "self_attn.q_proj.bias"), "transformers"),
    "qwen3-4b": (language_model(151936, 2560, NORM), "transformers"),
    "qwen3-8b": (language_model(151936, 4096, NORM), "transformers"),
    "qwen3-0.6b": (language_model(151936, 1024, NORM), "transformers"),
    "gemma-2-2b": (language_model(256000, 2304, AFTER), "transformers"),
    "gemma-3-12b": (language_model(262208, 3840, AFTER, NORM), "transformers"),
    "llama-3-8b": (language_model(128256, 4096), "transformers"),
    "mistral-small-24b": (language_model(131072, 5120), "transformers"),
    "chatglm3-6b": (
        {
            "transformer.embedding.word_embeddings.weight": (65024, 4096),
            "transformer.encoder.layers.0.self_attention.query_key_value.weight": (4608, 4096),
        },
        "transformers",
    ),
    "t5-xxl in GGUF": ({"token_embd.weight": (32128, 4096), "enc.blk.0.attn_q.weight": (4096, 4096)}, "native"),
    "qwen3-4b in GGUF": (gguf(2560, "blk.0.attn_q_norm.weight"), "native"),
    "qwen2.5-7b in GGUF": (gguf(3584, "blk.0.attn_q.bias"), "native"),
    "gemma-2-2b in GGUF": (gguf(2304, "blk.0.post_ffw_norm.weight"), "native"),
}


@pytest.mark.parametrize("name", TEXT_ENCODERS)
def test_a_text_encoder_is_known_by_its_build_and_width(name: str) -> None:
    shapes, layout = TEXT_ENCODERS[name]
    called = name.partition(" ")[0]
    told_of = {"kind": "text_encoder", "family": None, "variant": called, "format": f"safetensors/{layout}"}
    case = Case(shapes, told_of)
    assert told(case) == case.expected
    assert len(top_claims(case)) == 1


@pytest.mark.parametrize(
    "prefix",
    [
        "text_model.",
        "cond_stage_model.transformer.",
        "cond_stage_model.transformer.text_model.",
        "conditioner.embedders.0.transformer.text_model.",
        "text_encoders.clip_l.transformer.text_model.",
        "text_encoder.text_model.",
    ],
)
def test_clip_is_known_under_the_prefixes_of_checkpoints(prefix: str) -> None:
    case = Case(under(prefix, tables.clip_text()), {"kind": "text_encoder", "variant": "clip-l", "context_width": 768})
    assert told(case) == case.expected


@pytest.mark.parametrize(
    "shapes", [language_model(32000, 4096), language_model(152064, 5120, "self_attn.q_proj.bias"), gguf(5120)]
)
def test_a_language_model_that_nothing_reads_with_is_unknown(shapes: tables.Shapes) -> None:
    assert told(Case(shapes, {"kind": "unknown"})) == {"kind": "unknown"}


def test_a_clip_with_both_halves_is_a_text_encoder() -> None:
    sees = {
        "vision_model.embeddings.patch_embedding.weight": (1024, 3, 14, 14),
        "vision_model.encoder.layers.0.self_attn.q_proj.weight": (1024, 1024),
    }
    case = Case({**under("text_model.", tables.clip_text()), **sees}, {"kind": "text_encoder", "variant": "clip-l"})
    assert told(case) == case.expected


def test_parts_in_a_folder_bear_diffusers_names() -> None:
    table = replace(tables.table(architectures.vae("4-channel")), container="diffusers")
    assert identify(table, name="vae").format == "diffusers/diffusers"
