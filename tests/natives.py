"""Tables in the names that the models' own authors give: diffusers' names and shapes, turned back.

Every rule here is proven by diffusers' converter, which must make diffusers' table of it again (`test_architectures`).
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from tests.architectures import UNETS, transformer, unet
from tests.tables import Shapes

__all__ = ["LDM", "NATIVE", "authors_transformer", "authors_unet", "ldm_name"]


@dataclass(frozen=True)
class Rules:
    """How one layout differs from diffusers'."""

    fused: Sequence[tuple[Sequence[str], str]] = ()
    """Modules that one module holds together, by the rows -> its name; a name begins within its block."""
    renamed: Sequence[tuple[str, str]] = ()
    """Regular expressions and what takes their place, in turn."""
    added: Mapping[str, tuple[int, ...]] | None = None
    """What diffusers leaves out."""


def _fused(shapes: Shapes, parts: Sequence[str], whole: str) -> Shapes:
    first = re.compile(rf"(^|\.){re.escape(parts[0])}(?=\.(weight|bias)$)")
    fused: Shapes = {}
    held = set()
    for name, shape in shapes.items():
        names = [first.sub(lambda found, part=part: found[1] + part, name) for part in parts]  # type: ignore[misc]
        if first.search(name) and all(one in shapes for one in names):
            held.update(names)
            rows = sum(shapes[one][0] for one in names)
            fused[first.sub(lambda found: found[1] + whole, name)] = (rows, *shape[1:])
    return {name: shape for name, shape in shapes.items() if name not in held} | fused


def _renamed(name: str, rules: Sequence[tuple[str, str]]) -> str:
    for pattern, replacement in rules:
        name = re.sub(pattern, replacement, name)
    return name


_QKV = (("attn.to_q", "attn.to_k", "attn.to_v"), "attn.qkv")
_FLUX_ENDS = (
    (r"^time_text_embed\.timestep_embedder\.linear_1", "time_in.in_layer"),
    (r"^time_text_embed\.timestep_embedder\.linear_2", "time_in.out_layer"),
    (r"^time_text_embed\.guidance_embedder\.linear_1", "guidance_in.in_layer"),
    (r"^time_text_embed\.guidance_embedder\.linear_2", "guidance_in.out_layer"),
    (r"^time_text_embed\.text_embedder\.linear_1", "vector_in.in_layer"),
    (r"^time_text_embed\.text_embedder\.linear_2", "vector_in.out_layer"),
    (r"^x_embedder", "img_in"),
    (r"^context_embedder", "txt_in"),
    (r"^norm_out\.linear", "final_layer.adaLN_modulation.1"),
    (r"^proj_out", "final_layer.linear"),
)
_FLUX_BLOCKS = (
    (r"^transformer_blocks", "double_blocks"),
    (r"^(double_blocks.*)\.norm1\.linear", r"\1.img_mod.lin"),
    (r"^(double_blocks.*)\.norm1_context\.linear", r"\1.txt_mod.lin"),
    (r"attn\.norm_added_q\.weight", "txt_attn.norm.query_norm.scale"),
    (r"attn\.norm_added_k\.weight", "txt_attn.norm.key_norm.scale"),
    (r"^(double_blocks.*)\.attn\.norm_q\.weight", r"\1.img_attn.norm.query_norm.scale"),
    (r"^(double_blocks.*)\.attn\.norm_k\.weight", r"\1.img_attn.norm.key_norm.scale"),
    (r"attn\.to_out\.0", "img_attn.proj"),
    (r"attn\.to_add_out", "txt_attn.proj"),
    (r"\.ff\.net\.0\.proj", ".img_mlp.0"),
    (r"\.ff\.net\.2", ".img_mlp.2"),
    (r"\.ff_context\.net\.0\.proj", ".txt_mlp.0"),
    (r"\.ff_context\.net\.2", ".txt_mlp.2"),
    (r"^single_transformer_blocks", "single_blocks"),
    (r"^(single_blocks.*)\.norm\.linear", r"\1.modulation.lin"),
    (r"^(single_blocks.*)\.attn\.norm_q\.weight", r"\1.norm.query_norm.scale"),
    (r"^(single_blocks.*)\.attn\.norm_k\.weight", r"\1.norm.key_norm.scale"),
    (r"^(single_blocks.*)\.proj_out", r"\1.linear2"),
)
_FLUX_FUSED = (
    (("attn.to_q", "attn.to_k", "attn.to_v", "proj_mlp"), "linear1"),
    (("attn.to_q", "attn.to_k", "attn.to_v"), "img_attn.qkv"),
    (("attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj"), "txt_attn.qkv"),
)
_FLUX = Rules(_FLUX_FUSED, (*_FLUX_ENDS, *_FLUX_BLOCKS))
_CHROMA = Rules(
    _FLUX_FUSED,
    (
        (r"(distilled_guidance_layer\.layers\.\d+)\.linear_1", r"\1.in_layer"),
        (r"(distilled_guidance_layer\.layers\.\d+)\.linear_2", r"\1.out_layer"),
        (r"(distilled_guidance_layer\.norms\.\d+)\.weight", r"\1.scale"),
        *_FLUX_ENDS,
        *_FLUX_BLOCKS,
    ),
)
_FLUX2 = Rules(
    _FLUX_FUSED[1:],
    (
        (r"^time_guidance_embed", "time_text_embed"),
        (r"(stream_modulation\w*)\.linear", r"\1.lin"),
        (r"\.ff\.linear_in", ".img_mlp.0"),
        (r"\.ff\.linear_out", ".img_mlp.2"),
        (r"\.ff_context\.linear_in", ".txt_mlp.0"),
        (r"\.ff_context\.linear_out", ".txt_mlp.2"),
        (r"attn\.to_qkv_mlp_proj", "linear1"),
        (r"^(single_transformer_blocks.*)\.attn\.to_out", r"\1.linear2"),
        *_FLUX_ENDS,
        *_FLUX_BLOCKS,
    ),
)
_FLUX3 = Rules(
    renamed=(
        (r"^target_timestep_embedder\.linear_1", "ref_time_in.in_layer"),
        (r"^target_timestep_embedder\.linear_2", "ref_time_in.out_layer"),
        (r"^timestep_embedder\.linear_1", "time_in.in_layer"),
        (r"^timestep_embedder\.linear_2", "time_in.out_layer"),
        (r"^proj_out", "final_layer.image.linear"),
        (r"^norm_out\.linear", "final_layer.image.adaLN_modulation.1"),
        (r"(stream_modulations\.\w+)\.linear", r"\1.lin"),
        (r"^x_embedders", "emb_in"),
        (r"^context_embedder", "txt_in"),
        (r"^mode_blocks", "content_mode_blocks"),
        (r"^single_transformer_blocks", "single_blocks"),
        (r"\.attn\.to_([qkv])\.", r".\1_proj."),
        (r"\.attn\.to_out\.0", ".attn_out"),
        (r"\.attn\.norm_q\.weight", ".norm.query_norm.scale"),
        (r"\.attn\.norm_k\.weight", ".norm.key_norm.scale"),
        (r"\.ff\.linear_in", ".mlp_in"),
        (r"\.ff\.linear_out", ".mlp_out"),
    ),
)
_SD3 = Rules(
    (
        (("attn.to_q", "attn.to_k", "attn.to_v"), "x_block.attn.qkv"),
        (("attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj"), "context_block.attn.qkv"),
        (("attn2.to_q", "attn2.to_k", "attn2.to_v"), "x_block.attn2.qkv"),
    ),
    (
        (r"^pos_embed\.proj", "x_embedder.proj"),
        (r"^pos_embed\.pos_embed", "pos_embed"),
        (r"^time_text_embed\.timestep_embedder\.linear_1", "t_embedder.mlp.0"),
        (r"^time_text_embed\.timestep_embedder\.linear_2", "t_embedder.mlp.2"),
        (r"^time_text_embed\.text_embedder\.linear_1", "y_embedder.mlp.0"),
        (r"^time_text_embed\.text_embedder\.linear_2", "y_embedder.mlp.2"),
        (r"^norm_out\.linear", "final_layer.adaLN_modulation.1"),
        (r"^proj_out", "final_layer.linear"),
        (r"^transformer_blocks", "joint_blocks"),
        (r"\.norm1\.linear", ".x_block.adaLN_modulation.1"),
        (r"\.norm1_context\.linear", ".context_block.adaLN_modulation.1"),
        (r"\.(attn2?)\.norm_([qk])\.", r".x_block.\1.ln_\2."),
        (r"\.attn\.norm_added_([qk])\.", r".context_block.attn.ln_\1."),
        (r"\.(attn2?)\.to_out\.0", r".x_block.\1.proj"),
        (r"\.attn\.to_add_out", ".context_block.attn.proj"),
        (r"\.ff\.net\.0\.proj", ".x_block.mlp.fc1"),
        (r"\.ff\.net\.2", ".x_block.mlp.fc2"),
        (r"\.ff_context\.net\.0\.proj", ".context_block.mlp.fc1"),
        (r"\.ff_context\.net\.2", ".context_block.mlp.fc2"),
    ),
)
_Z_IMAGE = Rules(
    ((("attention.to_q", "attention.to_k", "attention.to_v"), "attention.qkv"),),
    (
        (r"^all_final_layer\.2-1", "final_layer"),
        (r"^all_x_embedder\.2-1", "x_embedder"),
        (r"\.attention\.to_out\.0", ".attention.out"),
        (r"\.attention\.norm_([qk])", r".attention.\1_norm"),
    ),
)
_LUMINA2 = Rules(
    (_QKV,),
    (
        (r"^time_caption_embed\.caption_embedder", "cap_embedder"),
        (r"^time_caption_embed\.timestep_embedder\.linear_1", "t_embedder.mlp.0"),
        (r"^time_caption_embed\.timestep_embedder\.linear_2", "t_embedder.mlp.2"),
        (r"^norm_out\.linear_1", "final_layer.adaLN_modulation.1"),
        (r"^norm_out\.linear_2", "final_layer.linear"),
        (r"^(context_refiner\.\d+)\.norm1\.", r"\1.attention_norm1."),
        (r"\.norm1\.norm\.", ".attention_norm1."),
        (r"\.norm2\.", ".attention_norm2."),
        (r"\.norm1\.linear", ".adaLN_modulation.1"),
        (r"\.attn\.", ".attention."),
        (r"\.to_out\.0\.", ".out."),
        (r"\.norm_([qk])\.", r".\1_norm."),
        (r"\.linear_([123])\.", r".w\1."),
    ),
)
_KREA2 = Rules(
    renamed=(
        (r"^img_in\.", "first."),
        (r"^time_embed\.linear_1", "tmlp.0"),
        (r"^time_embed\.linear_2", "tmlp.2"),
        (r"^time_mod_proj", "tproj.1"),
        (r"^txt_in\.norm\.weight", "txtmlp.0.scale"),
        (r"^txt_in\.linear_1", "txtmlp.1"),
        (r"^txt_in\.linear_2", "txtmlp.3"),
        (r"^text_fusion", "txtfusion"),
        (r"^transformer_blocks", "blocks"),
        (r"^final_layer\.linear", "last.linear"),
        (r"^final_layer\.norm\.weight", "last.norm.scale"),
        (r"^final_layer\.scale_shift_table", "last.modulation.lin"),
        (r"\.attn\.to_([qkv])\.", r".attn.w\1."),
        (r"\.attn\.to_out\.0\.", ".attn.wo."),
        (r"\.attn\.to_gate\.", ".attn.gate."),
        (r"\.attn\.norm_q\.weight", ".attn.qknorm.qnorm.scale"),
        (r"\.attn\.norm_k\.weight", ".attn.qknorm.knorm.scale"),
        (r"\.ff\.", ".mlp."),
        (r"\.norm1\.weight", ".prenorm.scale"),
        (r"\.norm2\.weight", ".postnorm.scale"),
        (r"\.scale_shift_table", ".mod.lin"),
    ),
)
_AURAFLOW = Rules(
    renamed=(
        (r"^time_step_proj\.linear_1", "t_embedder.mlp.0"),
        (r"^time_step_proj\.linear_2", "t_embedder.mlp.2"),
        (r"^context_embedder", "cond_seq_linear"),
        (r"^pos_embed\.pos_embed", "positional_encoding"),
        (r"^pos_embed\.proj", "init_x_linear"),
        (r"^proj_out", "final_linear"),
        (r"^norm_out\.linear", "modF.1"),
        (r"^joint_transformer_blocks", "double_layers"),
        (r"^single_transformer_blocks", "single_layers"),
        (r"^(double_layers.*)\.ff\.", r"\1.mlpX."),
        (r"^(double_layers.*)\.ff_context\.", r"\1.mlpC."),
        (r"^(single_layers.*)\.ff\.", r"\1.mlp."),
        (r"\.linear_([12])\.", r".c_fc\1."),
        (r"\.out_projection\.", ".c_proj."),
        (r"^(double_layers.*)\.norm1\.linear", r"\1.modX.1"),
        (r"^(double_layers.*)\.norm1_context\.linear", r"\1.modC.1"),
        (r"^(single_layers.*)\.norm1\.linear", r"\1.modCX.1"),
        (r"^(double_layers.*)\.attn\.to_([qkv])\.", r"\1.attn.w2\2."),
        (r"^(double_layers.*)\.attn\.to_out\.0\.", r"\1.attn.w2o."),
        (r"^(double_layers.*)\.attn\.add_([qkv])_proj\.", r"\1.attn.w1\2."),
        (r"^(double_layers.*)\.attn\.to_add_out\.", r"\1.attn.w1o."),
        (r"^(single_layers.*)\.attn\.to_([qkv])\.", r"\1.attn.w1\2."),
        (r"^(single_layers.*)\.attn\.to_out\.0\.", r"\1.attn.w1o."),
    ),
)
_SANA = Rules(
    (
        (("attn1.to_q", "attn1.to_k", "attn1.to_v"), "attn.qkv"),
        (("attn2.to_k", "attn2.to_v"), "cross_attn.kv_linear"),
    ),
    (
        (r"^patch_embed\.proj", "x_embedder.proj"),
        (r"^time_embed\.emb\.timestep_embedder\.linear_1", "t_embedder.mlp.0"),
        (r"^time_embed\.emb\.timestep_embedder\.linear_2", "t_embedder.mlp.2"),
        (r"^time_embed\.linear", "t_block.1"),
        (r"^caption_projection\.linear_([12])", r"y_embedder.y_proj.fc\1"),
        (r"^caption_norm", "attention_y_norm"),
        (r"^scale_shift_table", "final_layer.scale_shift_table"),
        (r"^proj_out", "final_layer.linear"),
        (r"^transformer_blocks", "blocks"),
        (r"\.attn1\.to_out\.0", ".attn.proj"),
        (r"\.attn2\.to_out\.0", ".cross_attn.proj"),
        (r"\.attn2\.to_q", ".cross_attn.q_linear"),
        (r"\.ff\.conv_(\w+)\.", r".mlp.\1_conv.conv."),
    ),
    {"pos_embed": (1, 1024, 2240), "y_embedder.y_embedding": (300, 2304)},
)
_WAN = Rules(
    renamed=(
        (r"^condition_embedder\.time_embedder\.linear_1", "time_embedding.0"),
        (r"^condition_embedder\.time_embedder\.linear_2", "time_embedding.2"),
        (r"^condition_embedder\.text_embedder\.linear_1", "text_embedding.0"),
        (r"^condition_embedder\.text_embedder\.linear_2", "text_embedding.2"),
        (r"^condition_embedder\.time_proj", "time_projection.1"),
        (r"^condition_embedder\.image_embedder\.norm1", "img_emb.proj.0"),
        (r"^condition_embedder\.image_embedder\.ff\.net\.0\.proj", "img_emb.proj.1"),
        (r"^condition_embedder\.image_embedder\.ff\.net\.2", "img_emb.proj.3"),
        (r"^condition_embedder\.image_embedder\.norm2", "img_emb.proj.4"),
        (r"^scale_shift_table", "head.modulation"),
        (r"^proj_out", "head.head"),
        (r"^(vace_blocks.*)\.proj_in", r"\1.before_proj"),
        (r"^(vace_blocks.*)\.proj_out", r"\1.after_proj"),
        (r"scale_shift_table", "modulation"),
        (r"\.ffn\.net\.0\.proj", ".ffn.0"),
        (r"\.ffn\.net\.2", ".ffn.2"),
        (r"\.attn2\.", ".cross_attn."),
        (r"\.attn1\.", ".self_attn."),
        (r"\.to_out\.0\.", ".o."),
        (r"\.to_([qkv])\.", r".\1."),
        (r"\.add_([kv])_proj\.", r".\1_img."),
        (r"\.norm_added_k\.", ".norm_k_img."),
        (r"\.norm2\.", ".norm3."),
    ),
)
_HUNYUAN_VIDEO = Rules(
    (
        (("attn.to_q", "attn.to_k", "attn.to_v", "proj_mlp"), "linear1"),
        (("attn.to_q", "attn.to_k", "attn.to_v"), "qkv"),
        (("attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj"), "txt_attn_qkv"),
    ),
    (
        (r"^context_embedder", "txt_in"),
        (r"^(txt_in.*)token_refiner\.refiner_blocks", r"\1individual_token_refiner.blocks"),
        (r"^(txt_in.*)\.qkv\.", r"\1.self_attn_qkv."),
        (r"^(txt_in.*)\.norm_out\.linear", r"\1.adaLN_modulation.1"),
        (r"^(txt_in.*)time_text_embed\.timestep_embedder\.linear_1", r"\1t_embedder.mlp.0"),
        (r"^(txt_in.*)time_text_embed\.timestep_embedder\.linear_2", r"\1t_embedder.mlp.2"),
        (r"^(txt_in.*)time_text_embed\.text_embedder", r"\1c_embedder"),
        (r"^(txt_in.*)\.attn\.to_out\.0", r"\1.self_attn_proj"),
        (r"^(txt_in.*)\.ff\.net\.0\.proj", r"\1.mlp.fc1"),
        (r"^(txt_in.*)\.ff\.net\.2", r"\1.mlp.fc2"),
        (r"^txt_in\.proj_in", "txt_in.input_embedder"),
        (r"^x_embedder", "img_in"),
        (r"^time_text_embed\.timestep_embedder\.linear_1", "time_in.mlp.0"),
        (r"^time_text_embed\.timestep_embedder\.linear_2", "time_in.mlp.2"),
        (r"^time_text_embed\.guidance_embedder\.linear_1", "guidance_in.mlp.0"),
        (r"^time_text_embed\.guidance_embedder\.linear_2", "guidance_in.mlp.2"),
        (r"^time_text_embed\.text_embedder\.linear_1", "vector_in.in_layer"),
        (r"^time_text_embed\.text_embedder\.linear_2", "vector_in.out_layer"),
        (r"^norm_out\.linear", "final_layer.adaLN_modulation.1"),
        (r"^proj_out", "final_layer.linear"),
        (r"^transformer_blocks", "double_blocks"),
        (r"^single_transformer_blocks", "single_blocks"),
        (r"^(double_blocks.*)\.qkv\.", r"\1.img_attn_qkv."),
        (r"^(double_blocks.*)\.attn\.norm_([qk])\.", r"\1.img_attn_\2_norm."),
        (r"^(double_blocks.*)\.attn\.norm_added_([qk])\.", r"\1.txt_attn_\2_norm."),
        (r"\.attn\.to_out\.0", ".img_attn_proj"),
        (r"\.attn\.to_add_out", ".txt_attn_proj"),
        (r"\.norm1\.linear", ".img_mod.linear"),
        (r"\.norm1_context\.linear", ".txt_mod.linear"),
        (r"\.ff\.net\.0\.proj", ".img_mlp.fc1"),
        (r"\.ff\.net\.2", ".img_mlp.fc2"),
        (r"\.ff_context\.net\.0\.proj", ".txt_mlp.fc1"),
        (r"\.ff_context\.net\.2", ".txt_mlp.fc2"),
        (r"^(single_blocks.*)\.attn\.norm_([qk])\.", r"\1.\2_norm."),
        (r"^(single_blocks.*)\.norm\.linear", r"\1.modulation.linear"),
        (r"^(single_blocks.*)\.proj_out", r"\1.linear2"),
    ),
)
_LTX = Rules(
    renamed=(
        (r"^proj_in", "patchify_proj"),
        (r"^time_embed", "adaln_single"),
        (r"\.norm_([qk])\.", r".\1_norm."),
    ),
)
_COSMOS = Rules(
    renamed=(
        (r"^time_embed\.t_embedder", "t_embedder.1"),
        (r"^time_embed\.norm", "t_embedding_norm"),
        (r"^transformer_blocks", "blocks"),
        (r"\.norm1\.linear_([12])", r".adaln_modulation_self_attn.\1"),
        (r"\.norm2\.linear_([12])", r".adaln_modulation_cross_attn.\1"),
        (r"\.norm3\.linear_([12])", r".adaln_modulation_mlp.\1"),
        (r"\.attn1\.", ".self_attn."),
        (r"\.attn2\.", ".cross_attn."),
        (r"\.to_([qkv])\.", r".\1_proj."),
        (r"\.to_out\.0\.", ".output_proj."),
        (r"\.norm_([qk])\.", r".\1_norm."),
        (r"\.ff\.net\.0\.proj", ".mlp.layer1"),
        (r"\.ff\.net\.2", ".mlp.layer2"),
        (r"^patch_embed\.proj", "x_embedder.proj.1"),
        (r"^norm_out\.linear_([12])", r"final_layer.adaln_modulation.\1"),
        (r"^proj_out", "final_layer.linear"),
    ),
)
_CASCADE = Rules(
    ((("attention.to_q", "attention.to_k", "attention.to_v"), "attention.attn.in_proj"),),
    ((r"in_proj\.", "in_proj_"), (r"attention\.to_out\.0", "attention.attn.out_proj")),
)
_CASCADE_B = Rules(_CASCADE.fused, (*_CASCADE.renamed, (r"^clip_txt_pooled_mapper", "clip_mapper")))
_QWEN21 = Rules(((("img_mlp.gate_layer", "img_mlp.proj"), "img_mlp.gate_up"),))
NATIVE: Mapping[str, Rules] = {
    "flux1 dev": _FLUX,
    "flux1 schnell": _FLUX,
    "flux1 fill": _FLUX,
    "flux1 control": _FLUX,
    "chroma": _CHROMA,
    "flux2 dev": _FLUX2,
    "flux2 klein-4b": _FLUX2,
    "flux2 klein-9b": _FLUX2,
    "flux3": _FLUX3,
    "sd3 3.0-medium": _SD3,
    "sd3 3.5-medium": _SD3,
    "sd3 3.5-large": _SD3,
    "z-image": _Z_IMAGE,
    "lumina2": _LUMINA2,
    "krea-2": _KREA2,
    "qwen-image-2.1": _QWEN21,
    "anima": _COSMOS,
    "auraflow": _AURAFLOW,
    "sana": _SANA,
    "cascade stage-c": _CASCADE,
    "cascade stage-b": _CASCADE_B,
    "wan t2v-14b": _WAN,
    "wan t2v-1.3b": _WAN,
    "wan i2v-14b": _WAN,
    "wan ti2v-5b": _WAN,
    "wan vace": _WAN,
    "hunyuan-video": _HUNYUAN_VIDEO,
    "ltx": _LTX,
}
"""Name in `architectures.TRANSFORMERS` -> how its authors' names differ from diffusers'."""

_RESNET = (
    ("norm1", "in_layers.0"),
    ("conv1", "in_layers.2"),
    ("time_emb_proj", "emb_layers.1"),
    ("norm2", "out_layers.0"),
    ("conv2", "out_layers.3"),
    ("conv_shortcut", "skip_connection"),
)
_UNET_ENDS = (
    ("time_embedding.linear_1", "time_embed.0"),
    ("time_embedding.linear_2", "time_embed.2"),
    ("add_embedding.linear_1", "label_emb.0.0"),
    ("add_embedding.linear_2", "label_emb.0.2"),
    ("class_embedding.linear_1", "label_emb.0.0"),
    ("class_embedding.linear_2", "label_emb.0.2"),
    ("class_embedding", "label_emb"),
    ("conv_in", "input_blocks.0.0"),
    ("encoder_hid_proj", "encoder_hid_proj"),
    ("conv_norm_out", "out.0"),
    ("conv_out", "out.2"),
)


LDM = tuple(name for name, (model, _) in UNETS.items() if model == "UNet2DConditionModel")
"""Names in `architectures.UNETS` of those that latent diffusion's names are known of."""


@cache
def authors_unet(name: str) -> Shapes:
    """In latent diffusion's names, without prefix."""
    shapes = unet(name)
    layers = UNETS[name][1].get("layers_per_block", 2)
    return {ldm_name(key, shapes, layers): shape for key, shape in shapes.items()}


@cache
def authors_transformer(name: str) -> Shapes:
    """In its authors' names, without prefix."""
    rules, shapes = NATIVE[name], dict(transformer(name))
    for parts, whole in rules.fused:
        shapes = _fused(shapes, parts, whole)
    return {_renamed(key, rules.renamed): shape for key, shape in shapes.items()} | dict(rules.added or {})


def ldm_name(name: str, shapes: Shapes, layers: int) -> str:
    for ours, theirs in _UNET_ENDS:
        if name.startswith(f"{ours}."):
            return theirs + name.removeprefix(ours)
    block, part, index, rest = _parted(name)
    place: Callable[[], str] = {
        "down": lambda: f"input_blocks.{1 + block * (layers + 1) + (layers if part == 'downsamplers' else index)}",
        "mid": lambda: f"middle_block.{1 if part == 'attentions' else 2 * index}",
        "up": lambda: f"output_blocks.{block * (layers + 1) + (layers if part == 'upsamplers' else index)}",
    }[name.partition("_")[0]]
    if part == "downsamplers":
        return f"{place()}.0.op{rest.removeprefix('.conv')}"
    if part == "upsamplers":
        return f"{place()}.{2 if f'up_blocks.{block}.attentions.0.norm.weight' in shapes else 1}{rest}"
    if part == "resnets":
        rest = next(
            (f".{new}{rest.removeprefix(f'.{old}')}" for old, new in _RESNET if rest.startswith(f".{old}.")), rest
        )
    within = "" if name.startswith("mid") else f".{1 if part == 'attentions' else 0}"
    return f"{place()}{within}{rest}"


def _parted(name: str) -> tuple[int, str, int, str]:
    """``down_blocks.1.resnets.0.norm1.weight`` -> 1, ``resnets``, 0, ``.norm1.weight``."""
    found = re.fullmatch(r"\w+?_blocks?(?:\.(\d+))?\.(\w+)\.(\d+)(\..*)", name)
    assert found, name
    return int(found[1] or 0), found[2], int(found[3]), found[4]
