"""Encoders of text and of pictures: how CLIP, T5, DINOv2 and others name their tensors, and which one it is."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from modelhub.families import Signature
from modelhub.identify._known import WeightFile

__all__ = ["Encoder", "read_encoder"]

_PREFIXES = (
    "",
    "text_model.",
    "cond_stage_model.transformer.text_model.",
    "cond_stage_model.transformer.",
    "cond_stage_model.model.",
    "conditioner.embedders.0.transformer.text_model.",
    "conditioner.embedders.0.model.",
    "conditioner.embedders.1.model.",
    "text_encoders.clip_l.transformer.text_model.",
    "text_encoders.clip_g.transformer.text_model.",
    "text_encoders.t5xxl.transformer.",
    "text_encoder.text_model.",
    "text_encoder.",
    "text_encoder_2.text_model.",
    "text_encoder_2.",
    "transformer.text_model.",
    "transformer.",
    "model.",
    "model.language_model.",
    "language_model.model.",
)
_CLIP = {768: "clip-l", 1024: "clip-h", 1280: "clip-g"}
_VISION = {768: "clip-vit-b", 1024: "clip-vit-l", 1280: "clip-vit-h", 1664: "clip-vit-g", 1152: "siglip-so400m"}
_SIGLIP = {768: "siglip-b", 1024: "siglip-l", 1152: "siglip-so400m"}
_DINOV2 = {384: "dinov2-s", 768: "dinov2-b", 1024: "dinov2-l", 1536: "dinov2-g"}
_T5 = {4096: "t5-xxl", 2048: "t5-xl", 1024: "t5-large", 768: "t5-base", 512: "t5-small"}
_UMT5 = {4096: "umt5-xxl", 768: "umt5-base", 512: "umt5-small"}
_QWEN2 = {3584: "qwen2.5-7b", 2048: "qwen2.5-3b"}
_QWEN3 = {4096: "qwen3-8b", 2560: "qwen3-4b", 2048: "qwen3-1.7b", 1024: "qwen3-0.6b"}
_GEMMA2 = {2304: "gemma-2-2b"}
_GEMMA3 = {3840: "gemma-3-12b", 2560: "gemma-3-4b", 1152: "gemma-3-1b"}


@dataclass(frozen=True, slots=True)
class _Form:
    """One sort of encoder in one layout."""

    what: str
    signature: Signature
    """Named after the layout. The last side of its first tensor is the width; for pictures the first side."""
    widths: Mapping[int, str]
    """Width -> what it is called."""
    any_width: bool = True
    """Whether a width that is not among `widths` is still such an encoder."""
    sees: bool = False

    @property
    def measured(self) -> str:
        return next(iter(self.signature.requires))


@dataclass(frozen=True, slots=True)
class Encoder:
    """The encoder that a file holds."""

    what: str
    layout: str
    prefix: str
    measured: str
    """The tensor that shows the width."""
    width: int | None
    called: str | None
    """``clip-l``, ``t5-xxl``, ``qwen3-4b``, ...; None for a size that we have no name for."""
    sees: bool
    """Whether it encodes pictures instead of text."""


def _text(what: str, layout: str, widths: Mapping[int, str], *requires: str, absent: tuple[str, ...] = ()) -> _Form:
    return _Form(what, Signature(layout, dict.fromkeys(requires), absent), widths)


def _pictures(what: str, layout: str, widths: Mapping[int, str], *requires: str, absent: tuple[str, ...] = ()) -> _Form:
    return _Form(what, Signature(layout, dict.fromkeys(requires), absent), widths, sees=True)


def _halves(*requires: str, under: str) -> Iterator[_Form]:
    """Of CLIP and SigLIP, which alone differ by the query with which SigLIP gathers what it saw."""
    patches, layer = (under + one for one in requires)
    probe = f"{under}head.probe"
    yield _pictures("a CLIP vision model", "transformers", _VISION, patches, layer, absent=(probe,))
    yield _pictures("a SigLIP vision model", "transformers", _SIGLIP, patches, layer, probe)


def _language_model(layout: str, widths: Mapping[int, str], *requires: str, absent: tuple[str, ...] = ()) -> _Form:
    """There are many, for many ends: only the sizes that some family reads with are text encoders."""
    return _Form("a language model", Signature(layout, dict.fromkeys(requires), absent), widths, any_width=False)


def _sized(words: int, width: int, called: str) -> _Form:
    """A language model of the plainest build, which only the sizes of its embeddings tell."""
    requires = {_TOKENS: (words, width), f"{_QUERY}.weight": None}
    return _Form(
        "a language model", Signature("transformers", requires, (f"{_QUERY}.bias", _NORM, _AFTER)), {width: called}
    )


_TOKENS, _QUERY = "embed_tokens.weight", "layers.0.self_attn.q_proj"
_NORM, _AFTER = "layers.0.self_attn.q_norm.weight", "layers.0.post_feedforward_layernorm.weight"
_PLAIN = (_TOKENS, f"{_QUERY}.weight")
_GGUF, _GGUF_BIAS = ("token_embd.weight", "blk.0.attn_q.weight"), "blk.0.attn_q.bias"
_GGUF_NORM, _GGUF_AFTER = "blk.0.attn_q_norm.weight", "blk.0.post_ffw_norm.weight"
_GGUF_T5, _GGUF_UMT5 = ("token_embd.weight", "enc.blk.0.attn_q.weight"), "enc.blk.1.attn_rel_b.weight"
_T5_QUERY = "encoder.block.0.layer.0.SelfAttention.q.weight"
_UMT5_BIAS = "encoder.block.1.layer.0.SelfAttention.relative_attention_bias.weight"
"""Only UMT5 has one in each layer."""
_CLIP_LAYER = "encoder.layers.0.self_attn.q_proj.weight"
_OPENCLIP_LAYER = "transformer.resblocks.0.attn.in_proj_weight"
_CHATGLM = ("embedding.word_embeddings.weight", "encoder.layers.0.self_attention.query_key_value.weight")
_FORMS = (
    _text(
        "a CLIP text model",
        "transformers",
        _CLIP,
        "embeddings.token_embedding.weight",
        _CLIP_LAYER,
        absent=("head.weight",),
    ),
    _text(
        "an OpenCLIP text model", "openclip", _CLIP, "token_embedding.weight", "positional_embedding", _OPENCLIP_LAYER
    ),
    _text("a T5 encoder", "transformers", _T5, _T5_QUERY, absent=(_UMT5_BIAS,)),
    _text("a T5 encoder", "native", _T5, *_GGUF_T5, absent=(_GGUF_UMT5,)),
    _text("a UMT5 encoder", "transformers", _UMT5, _T5_QUERY, _UMT5_BIAS),
    _text("a UMT5 encoder", "native", _UMT5, *_GGUF_T5, _GGUF_UMT5),
    _text(
        "a UMT5 encoder",
        "native",
        _UMT5,
        "token_embedding.weight",
        "blocks.0.attn.q.weight",
        "blocks.0.ffn.gate.0.weight",
    ),
    _language_model("transformers", _QWEN2, *_PLAIN, f"{_QUERY}.bias", absent=(_NORM,)),
    _language_model("transformers", _QWEN3, *_PLAIN, _NORM, absent=(_AFTER,)),
    _language_model("transformers", _GEMMA2, *_PLAIN, _AFTER, absent=(_NORM,)),
    _language_model("transformers", _GEMMA3, *_PLAIN, _AFTER, _NORM),
    _language_model("native", _QWEN2, *_GGUF, _GGUF_BIAS, absent=(_GGUF_NORM,)),
    _language_model("native", _QWEN3, *_GGUF, _GGUF_NORM, absent=(_GGUF_AFTER,)),
    _language_model("native", _GEMMA2, *_GGUF, _GGUF_AFTER, absent=(_GGUF_NORM,)),
    _language_model("native", _GEMMA3, *_GGUF, _GGUF_AFTER, _GGUF_NORM),
    _language_model("transformers", {4096: "chatglm3-6b"}, *_CHATGLM),
    _sized(128256, 4096, "llama-3-8b"),
    _sized(128320, 4096, "llava-llama-3-8b"),
    _sized(131072, 5120, "mistral-small-24b"),
    *_halves("embeddings.patch_embedding.weight", _CLIP_LAYER, under="vision_model."),
    *_halves("embeddings.patch_embedding.weight", _CLIP_LAYER, under=""),
    _pictures("an OpenCLIP vision model", "openclip", _VISION, "visual.conv1.weight", f"visual.{_OPENCLIP_LAYER}"),
    *(
        _pictures(
            "a DINOv2 model",
            "transformers",
            _DINOV2,
            f"{under}embeddings.patch_embeddings.projection.weight",
            f"{under}encoder.layer.0.layer_scale1.lambda1",
            f"{under}encoder.layer.0.attention.attention.query.weight",
        )
        for under in ("", "dinov2.")
    ),
)


_MEASURED = tuple((prefix + form.measured, prefix, form) for prefix in _PREFIXES for form in _FORMS)


def read_encoder(file: WeightFile) -> Encoder | None:
    """The encoder in the file; one of text before one of pictures."""
    tensors = file.table.tensors
    fitting = [
        _encoder(file, form, prefix)
        for measured, prefix, form in _MEASURED
        if measured in tensors and file.fits(form.signature, prefix) and _is_sized(file, form, prefix)
    ]
    return next((one for one in fitting if not one.sees), next(iter(fitting), None))


def _is_sized(file: WeightFile, form: _Form, prefix: str) -> bool:
    return form.any_width or _width(file, form, prefix) in form.widths


def _encoder(file: WeightFile, form: _Form, prefix: str) -> Encoder:
    width = _width(file, form, prefix)
    called = form.widths.get(width) if width else None
    return Encoder(form.what, form.signature.name, prefix, form.measured, width, called, form.sees)


def _width(file: WeightFile, form: _Form, prefix: str) -> int | None:
    if form.sees:
        return next(iter(file.table.shape(prefix + form.measured) or ()), None)
    return file.columns(prefix + form.measured)
