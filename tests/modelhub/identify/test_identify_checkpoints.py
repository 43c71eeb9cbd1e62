"""Whole models: which parts they hold, in which container, what they predict and how they are stored."""

import struct
from collections.abc import Mapping
from dataclasses import replace

import pytest

from modelhub.headers import TensorTable
from modelhub.identify import identify
from modelhub.kinds import Facts, Source
from tests import architectures, natives, tables
from tests.cases import Case, told, top_claims

LDM, VAE = "model.diffusion_model.", "first_stage_model."
BIAS = "model.diffusion_model.output_blocks.11.1.transformer_blocks.0.norm1.bias"


def under(prefix: str, shapes: tables.Shapes) -> tables.Shapes:
    return {prefix + name: shape for name, shape in shapes.items()}


def denoiser(name: str) -> tables.Shapes:
    """As single files hold it."""
    if name == "svd":
        return under(LDM, {**natives.authors_unet("sd2"), **SVD_OVER_TIME})
    if name == "qwen-image":
        return under(LDM, architectures.transformer(name))
    made = natives.authors_unet if name in architectures.UNETS else natives.authors_transformer
    return under(LDM, made(name))


def clip(at: str, width: int = 768) -> tables.Shapes:
    return under(at, tables.clip_text(width, 2))


def openclip(at: str, width: int) -> tables.Shapes:
    names = {"token_embedding.weight": (49408, width), "positional_embedding": (77, width)}
    return under(at, {**names, "transformer.resblocks.0.attn.in_proj_weight": (3 * width, width)})


def t5(at: str) -> tables.Shapes:
    return under(at, {"encoder.block.0.layer.0.SelfAttention.q.weight": (4096, 4096), "shared.weight": (32128, 4096)})


def seeing(at: str) -> tables.Shapes:
    names = {"conv1.weight": (1280, 3, 14, 14), "transformer.resblocks.0.attn.in_proj_weight": (3840, 1280)}
    return under(at, names)


KL = under(VAE, tables.ldm_vae())
KL16 = under(VAE, tables.ldm_vae(latent=16))
XL_TEXT = {
    **clip("conditioner.embedders.0.transformer.text_model."),
    **openclip("conditioner.embedders.1.model.", 1280),
}
SD2_TEXT = openclip("cond_stage_model.model.", 1024)
SD3_TEXT = {
    **clip("text_encoders.clip_l.transformer.text_model."),
    **clip("text_encoders.clip_g.transformer.text_model.", 1280),
    **t5("text_encoders.t5xxl.transformer."),
}
FLUX_TEXT = {**clip("text_encoders.clip_l.transformer.text_model."), **t5("text_encoders.t5xxl.transformer.")}
SVD_OVER_TIME = {
    "input_blocks.1.1.time_stack.0.attn1.to_q.weight": (320, 320),
    "input_blocks.1.0.time_stack.in_layers.2.weight": (320, 320, 3, 1, 1),
    "label_emb.0.0.weight": (1280, 768),
    "input_blocks.0.0.weight": (320, 8, 3, 3),
}
SVD_PARTS = {
    **KL,
    f"{VAE}decoder.mid.block_1.time_stack.in_layers.2.weight": (512, 512, 3, 1, 1),
    **seeing("conditioner.embedders.0.open_clip.model.visual."),
}
QWEN_TEXT = under(
    "text_encoders.qwen25_7b.transformer.model.",
    {"embed_tokens.weight": (152064, 3584), "layers.0.self_attn.q_proj.weight": (3584, 3584)},
)
WAN_VAE = under(
    "vae.",
    {
        "decoder.conv1.weight": (384, 16, 3, 3, 3),
        "decoder.middle.0.residual.0.gamma": (384, 1, 1, 1),
        "decoder.head.2.weight": (3, 96, 3, 3, 3),
    },
)
PARTS = {
    "sd1": {**KL, **clip("cond_stage_model.transformer.text_model.")},
    "sd1 inpaint": {**KL, **clip("cond_stage_model.transformer.text_model.")},
    "sd2": {**KL, **SD2_TEXT},
    "sd2 inpaint": {**KL, **SD2_TEXT},
    "sd2 depth": {**KL, **SD2_TEXT, "depth_model.model.pretrained.cls_token": (1, 1, 768)},
    "sd2 unclip-l": {**KL, **SD2_TEXT, **seeing("embedder.model.visual.")},
    "sd2 unclip-h": {**KL, **SD2_TEXT, **seeing("embedder.model.visual.")},
    "sd-x4-upscaler": {**KL, **SD2_TEXT},
    "sdxl": {**KL, **XL_TEXT},
    "sdxl inpaint": {**KL, **XL_TEXT},
    "sdxl pix2pix": {**KL, **XL_TEXT},
    "sdxl ssd-1b": {**KL, **XL_TEXT},
    "sdxl-refiner": {**KL, **openclip("conditioner.embedders.0.model.", 1280)},
    "kolors": {**KL, **XL_TEXT},
    "svd": SVD_PARTS,
    "sd3 3.0-medium": {**KL16, **SD3_TEXT},
    "sd3 3.5-large": {**KL16, **SD3_TEXT},
    "flux1 dev": {**under("vae.", tables.ldm_vae(latent=16)), **FLUX_TEXT},
    "flux1 schnell": {**KL16, **FLUX_TEXT},
    "qwen-image": {**WAN_VAE, **QWEN_TEXT},
    "wan t2v-14b": {**WAN_VAE, **t5("text_encoders.umt5xxl.transformer.")},
}
"""Checkpoint -> all that it holds beside its denoiser."""


def checkpoint(name: str) -> tables.Shapes:
    return {**denoiser(name), **PARTS[name]}


def expected(name: str) -> dict[str, object]:
    family, _, variant = name.partition(" ")
    return {"kind": "checkpoint", "family": family, "variant": variant or None}


@pytest.mark.parametrize("name", PARTS)
def test_a_checkpoint_is_known_with_all_its_parts(name: str) -> None:
    case = Case(checkpoint(name), expected(name))
    assert told(case) == case.expected
    assert len(top_claims(case)) == 1


@pytest.mark.parametrize(
    ("name", "parts", "lacking"),
    [
        ("sdxl", {}, "with no VAE and no text encoder"),
        ("sdxl", KL, "with no text encoder"),
        ("sdxl", XL_TEXT, "with no VAE"),
        ("flux1 dev", {}, "with no VAE and no text encoder"),
    ],
)
def test_a_denoiser_that_lacks_a_part_is_no_checkpoint_and_says_so(
    name: str, parts: tables.Shapes, lacking: str
) -> None:
    facts = identify(tables.table({**denoiser(name), **parts}), name="model")
    assert facts.kind == "unet"
    assert lacking in facts.evidence["kind"].detail


def test_text_encoders_of_the_oldest_checkpoints_have_no_model_in_their_names() -> None:
    case = Case({**denoiser("sd1"), **KL, **clip("cond_stage_model.transformer.")}, expected("sd1"))
    assert told(case) == case.expected


@pytest.mark.parametrize("control", ["control_model.zero_convs.0.0.weight"])
def test_a_controlnet_saved_with_its_base_is_no_checkpoint(control: str) -> None:
    case = Case({**checkpoint("sd1"), control: (320, 320, 1, 1)}, {})
    assert all(facts.kind == "controlnet" for facts in top_claims(case))


def test_averages_beside_the_weights_are_told_of() -> None:
    shapes = {
        **checkpoint("sd1"),
        "model_ema.decay": (),
        "model_ema.diffusion_modelinput_blocks00weight": (320, 4, 3, 3),
    }
    assert "averages (EMA)" in identify(tables.table(shapes), name="model").evidence["kind"].detail


@pytest.mark.parametrize(
    ("name", "container", "layout"),
    [("sd1", "pickle", "pickle/ldm"), ("flux1 dev", "gguf", "gguf/native"), ("flux1 dev", "pickle", "pickle/native")],
)
def test_the_format_names_the_container_too(name: str, container: str, layout: str) -> None:
    table = replace(tables.table(checkpoint(name)), container=container)
    assert identify(table, name="model").format == layout


FOLDERS: Mapping[str, Mapping[str, tables.Shapes]] = {
    "sdxl": {
        "vae": architectures.vae("4-channel"),
        "text_encoder.text_model": tables.clip_text(),
        "text_encoder_2.text_model": tables.clip_text(1280, 2),
    },
    "flux1 dev": {
        "vae": architectures.vae("16-channel"),
        "text_encoder": tables.clip_text(),
        "text_encoder_2": t5(""),
    },
    "qwen-image": {
        "vae": architectures.vae("qwen-image"),
        "text_encoder.model": {"embed_tokens.weight": (152064, 3584)},
    },
    "svd": {
        "vae": architectures.vae("svd"),
        "image_encoder.vision_model.embeddings": {"patch_embedding.weight": (1280, 3, 14, 14)},
    },
}
"""Pipeline -> its components beside the denoiser."""


def folder(name: str) -> tables.Shapes:
    made, at = (
        (architectures.unet, "unet.") if name in architectures.UNETS else (architectures.transformer, "transformer.")
    )
    parts = FOLDERS[name].items()
    return under(at, made(name)) | {f"{part}.{key}": shape for part, held in parts for key, shape in held.items()}


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_of_diffusers_is_a_checkpoint(name: str) -> None:
    facts = identify(replace(tables.table(folder(name)), container="diffusers"), name="model")
    told_of = {"kind": facts.kind, "family": facts.family, "variant": facts.variant}
    assert told_of == expected(name)
    assert facts.format == "diffusers/diffusers"


@pytest.mark.parametrize(
    ("markers", "metadata", "prediction", "zero_snr"),
    [
        (["v_pred"], {}, "v", None),
        (["v_pred", "ztsnr"], {}, "v", True),
        (["edm_vpred.sigma_max", "edm_vpred.sigma_min", "v_pred"], {}, "edm_v", None),
        (["edm_mean", "edm_std"], {}, "edm", None),
        ([], {"modelspec.prediction_type": "v"}, "v", None),
        ([], {"modelspec.architecture": "stable-diffusion-v2-768-v"}, "v", None),
        ([], {"modelspec.architecture": "stable-diffusion-v2-512"}, "epsilon", None),
        ([], {"scheduler.prediction_type": "v_prediction"}, "v", None),
        ([], {"scheduler.rescale_betas_zero_snr": "True"}, None, True),
        ([], {"scheduler.rescale_betas_zero_snr": "False"}, None, None),
        ([], {"global_step": "875000"}, "epsilon", None),
        ([], {"global_step": "110000"}, "v", None),
        ([], {"global_step": "7"}, None, None),
    ],
)
def test_what_is_predicted_follows_from_markers_and_header(
    markers: list[str], metadata: dict[str, str], prediction: str | None, zero_snr: bool | None
) -> None:
    shapes = {**checkpoint("sd2"), **dict.fromkeys(markers, ())}
    case = Case(shapes, {"prediction_type": prediction, "zero_snr": zero_snr}, metadata)
    assert told(case) == case.expected


def bfloat16(numbers: list[float]) -> bytes:
    return b"".join(struct.pack("<f", number)[2:] for number in numbers)


def stored_as(dtype: str, shapes: tables.Shapes) -> TensorTable:
    table = tables.table(shapes)
    tensors = {name: type(entry)(dtype, entry.shape, (entry.start, entry.end)) for name, entry in table.tensors.items()}
    return replace(table, tensors=tensors)


@pytest.mark.parametrize(
    ("dtype", "packed", "prediction"),
    [
        ("F16", struct.pack("<4e", 0.5, -0.5, 0.5, -0.5), "v"),
        ("F32", struct.pack("<4f", 0.01, -0.01, 0.01, -0.01), "epsilon"),
        ("BF16", bfloat16([0.5, -0.5]), "v"),
        ("F64", struct.pack("<2d", 0.01, -0.01), "epsilon"),
        ("F8_E4M3", b"\x01\x02", None),
        ("F16", b"\x01", None),
        ("F16", b"", None),
        ("F32", struct.pack("<2f", float("nan"), 1.0), None),
    ],
)
def test_one_small_tensor_of_sd2_tells_what_it_predicts(dtype: str, packed: bytes, prediction: str | None) -> None:
    asked: list[str] = []

    def read(name: str) -> bytes:
        asked.append(name)
        return packed

    facts = identify(stored_as(dtype, checkpoint("sd2")), name="model", read=read)
    assert (facts.prediction_type, asked) == (prediction, [BIAS])


@pytest.mark.parametrize("name", ["sd1", "sdxl", "sd2 inpaint", "sd2 depth", "flux1 dev"])
def test_no_values_are_read_where_the_table_tells_enough(name: str) -> None:
    def read(name: str) -> bytes:
        raise AssertionError(name)

    assert identify(tables.table(checkpoint(name)), name="model", read=read).prediction_type is None


def quantised(dtype: str, beside: dict[str, tuple[str, tuple[int, ...]]]) -> Facts:
    """FLUX.1, its matrices of this type, with tensors of other types beside them."""
    table = stored_as(dtype, denoiser("flux1 dev"))
    entry = next(iter(table.tensors.values()))
    more = {name: type(entry)(kind, shape, (0, 4)) for name, (kind, shape) in beside.items()}
    return identify(replace(table, tensors={**table.tensors, **more}), name="model")


AT = "model.diffusion_model.double_blocks.0.img_attn.qkv"


@pytest.mark.parametrize(
    ("dtype", "beside", "precision"),
    [
        ("BF16", {}, "BF16"),
        ("Q4_K", {}, "Q4_K"),
        ("F8_E4M3", {}, "F8_E4M3"),
        ("F8_E4M3", {"model.diffusion_model.scaled_fp8": ("F8_E4M3", (2,))}, "F8_E4M3-scaled"),
        ("F8_E5M2", {f"{AT}.scale_weight": ("F32", ())}, "F8_E5M2-scaled"),
        ("F8_E4M3", {f"{AT}.comfy_quant": ("U8", (30,)), f"{AT}.weight_scale": ("F32", ())}, "F8_E4M3-scaled"),
        ("U8", {f"{AT}.weight.quant_state.bitsandbytes__nf4": ("U8", (90,))}, "bnb-nf4"),
        ("U8", {f"{AT}.weight.quant_state.bitsandbytes__fp4": ("U8", (90,))}, "bnb-fp4"),
        ("I8", {f"{AT}.scale": ("BF16", (9216, 1))}, "sdnq"),
        ("I8", {}, "I8"),
    ],
)
def test_how_the_weights_are_stored_is_told(
    dtype: str, beside: dict[str, tuple[str, tuple[int, ...]]], precision: str
) -> None:
    facts = quantised(dtype, beside)
    assert (facts.family, facts.precision) == ("flux1", precision)
    assert facts.evidence["precision"].source is Source.TENSORS


def test_packed_weights_tell_no_width_but_the_family() -> None:
    shapes = {
        name: (3072 * 32, 1) if name.endswith("in.weight") else shape for name, shape in denoiser("flux1 fill").items()
    }
    facts = identify(stored_as("U8", shapes), name="model")
    assert (facts.family, facts.variant, facts.context_width) == ("flux1", "dev", None)
