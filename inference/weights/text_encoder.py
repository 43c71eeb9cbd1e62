"""Names and sizes of a CLIP text encoder, as transformers names it or as OpenCLIP does (pure, no torch)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from inference.weights.parts import Piece, Weights
from modelhub.headers import TensorTable

__all__ = ["CANONICAL", "PROJECTION", "TextEncoderShape", "canonical", "config", "find_prefix", "openclip_name"]
__all__ += ["parameters", "pieces", "read_shape"]

CANONICAL = "text_model."
"""Begins every name in the files that tools exchange, whatever the installed transformers calls its modules."""
PROJECTION = "text_projection.weight"
_TOKENS = "embeddings.token_embedding.weight"
_OPENCLIP_TOKENS = "token_embedding.weight"
_ENDS = {
    _TOKENS: _OPENCLIP_TOKENS,
    "embeddings.position_embedding.weight": "positional_embedding",
    "final_layer_norm.weight": "ln_final.weight",
    "final_layer_norm.bias": "ln_final.bias",
}
_FUSED = ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj")
"""One above the other in OpenCLIP's ``attn.in_proj``."""
_LAYER = {
    **{module: f"attn.in_proj#{row}" for row, module in enumerate(_FUSED)},
    "self_attn.out_proj": "attn.out_proj",
    "layer_norm1": "ln_1",
    "layer_norm2": "ln_2",
    "mlp.fc1": "mlp.c_fc",
    "mlp.fc2": "mlp.c_proj",
}
_UNSHOWN = ("hidden_act", "layer_norm_eps", "num_attention_heads")
"""What a folder's own configuration is believed in, since no tensor shows it."""


@dataclass(frozen=True, slots=True)
class TextEncoderShape:
    """All that the tensor shapes tell about a CLIP text encoder."""

    width: int
    layers: int
    """Those that are read."""
    intermediate: int
    vocabulary: int
    positions: int
    projection: int | None
    """Columns of the text as a whole; None where the file has no such projection."""
    openclip: bool
    """Whether its names are OpenCLIP's."""


def find_prefix(table: TensorTable, prefixes: tuple[str, ...]) -> str | None:
    """The first of `prefixes` under which a text encoder stands."""
    ends = (_TOKENS, _OPENCLIP_TOKENS)
    return next((prefix for prefix in prefixes if any(prefix + end in table.tensors for end in ends)), None)


def read_shape(table: TensorTable, prefix: str, *, read_layers: int | None = None) -> TextEncoderShape:
    """Sizes of the encoder whose keys begin with `prefix`.

    `read_layers` is for families that read all layers but the last: how many these are in the published encoder.
    """
    openclip = prefix + _OPENCLIP_TOKENS in table.tensors

    def side(name: str, number: int) -> int:
        shape = table.shape(prefix + (openclip_name(name)[0] if openclip else name)) or ()
        return shape[number] if len(shape) > number else 0

    layers = 0
    while side(f"encoder.layers.{layers}.mlp.fc1.weight", 0):
        layers += 1
    has_unread = layers != read_layers if openclip else layers - 1 == read_layers
    projection = _projection(table, prefix)
    return TextEncoderShape(
        width=side(_TOKENS, 1),
        layers=layers - 1 if read_layers and has_unread else layers,
        intermediate=side("encoder.layers.0.mlp.fc1.weight", 0),
        vocabulary=side(_TOKENS, 0),
        positions=side("embeddings.position_embedding.weight", 0),
        projection=_sides(table, projection)[0] if projection else None,
        openclip=openclip,
    )


def pieces(weights: Weights, prefix: str, shape: TextEncoderShape) -> Iterator[tuple[str, Piece, tuple[int, ...]]]:
    """Every parameter that the file holds, by its canonical name: where its numbers are, and its shape."""
    for name in parameters(shape.layers):
        tensor, row = openclip_name(name) if shape.openclip else (name, None)
        sides = weights.table.shape(prefix + tensor)
        if sides is None:
            continue
        piece = weights.piece(prefix + tensor)
        if row is not None:
            piece = replace(piece, rows=(row * shape.width, (row + 1) * shape.width))
            sides = (shape.width, *sides[1:])
        yield CANONICAL + name, piece, sides
    if found := _projection(weights.table, prefix):
        yield PROJECTION, replace(weights.piece(found), transposed=_is_transposed(found)), _sides(weights.table, found)


def parameters(layers: int) -> Iterator[str]:
    """Of an encoder's layers and ends, as transformers names them within its model."""
    yield from _ENDS
    for layer in range(layers):
        for module in _LAYER:
            yield f"encoder.layers.{layer}.{module}.weight"
            yield f"encoder.layers.{layer}.{module}.bias"


def openclip_name(name: str) -> tuple[str, int | None]:
    """OpenCLIP's tensor for a parameter, and which of its three blocks of rows; None is all of it."""
    if name in _ENDS:
        return _ENDS[name], None
    layer, _, rest = name.removeprefix("encoder.layers.").partition(".")
    module, _, kind = rest.rpartition(".")
    tensor, _, row = _LAYER[module].partition("#")
    return f"transformer.resblocks.{layer}.{tensor}{'_' if row else '.'}{kind}", int(row) if row else None


def config(
    shape: TextEncoderShape, defaults: Mapping[str, Any], *, heads: int, own: Mapping[str, Any]
) -> dict[str, Any]:
    """Arguments of transformers' `CLIPTextConfig` for these sizes.

    `defaults` are the family's other ones, `own` those of the model's own configuration where it has any.
    """
    return {
        **defaults,
        "hidden_size": shape.width,
        "num_hidden_layers": shape.layers,
        "intermediate_size": shape.intermediate,
        "num_attention_heads": heads,
        "vocab_size": shape.vocabulary,
        "max_position_embeddings": shape.positions,
        **({"projection_dim": shape.projection} if shape.projection else {}),
        **{name: own[name] for name in _UNSHOWN if own.get(name) is not None},
    }


def canonical(name: str) -> str:
    """A module's or parameter's name as files write it.

    transformers 5.6 dropped the ``text_model`` level from `CLIPTextModel`; files keep it.
    """
    return name if name.startswith((CANONICAL, "text_projection")) else CANONICAL + name


def _projection(table: TensorTable, prefix: str) -> str | None:
    at = prefix.removesuffix(CANONICAL)
    names = (at + PROJECTION, at + "text_projection")
    return next((name for name in names if len(table.shape(name) or ()) == 2), None)


def _is_transposed(projection: str) -> bool:
    """OpenCLIP multiplies by it from the right."""
    return not projection.endswith(".weight")


def _sides(table: TensorTable, projection: str) -> tuple[int, ...]:
    sides = table.tensors[projection].shape
    return sides[::-1] if _is_transposed(projection) else sides
