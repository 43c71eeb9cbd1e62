"""Names and sizes of ControlNets, in the layout of lllyasviel/ControlNet or in diffusers' own (pure, no torch)."""

from collections.abc import Iterator, Mapping
from itertools import count, takewhile
from typing import Any

from inference.weights import unet, unet_sizes
from inference.weights.parts import Part, Piece, Weights
from inference.weights.single_file import rename
from modelhub.errors import BrokenFile
from modelhub.headers import TensorTable

__all__ = ["CONTROLNET", "controlnet_part"]

CONTROLNET = "controlnet"
"""The role that it plays."""
_COMPONENT = "diffusers.ControlNetModel"
_PREFIXES = ("control_model.", "module.", "controlnet.", "")
_LDM_HINT = "input_hint_block.0.weight"
_HINT = "controlnet_cond_embedding.conv_in.weight"
_LDM_TOPS = ("time_embed", "label_emb", "input_blocks", "middle_block", "input_hint_block", "zero_convs")
_TOPS = (*_LDM_TOPS, "middle_block_out", "time_embedding", "add_embedding", "conv_in", "down_blocks", "mid_block")
_OF_DIFFUSERS = ("controlnet_cond_embedding", "controlnet_down_blocks", "controlnet_mid_block")
_FROM_UNET = (
    "in_channels", "block_out_channels", "layers_per_block", "down_block_types", "mid_block_type",
    "transformer_layers_per_block", "cross_attention_dim", "use_linear_projection", "attention_head_dim",
    "norm_num_groups", "act_fn", "norm_eps", "downsample_padding", "mid_block_scale_factor", "flip_sin_to_cos",
    "freq_shift", "addition_embed_type", "addition_time_embed_dim", "projection_class_embeddings_input_dim",
)  # fmt: skip
"""What the two are configured by alike."""


def controlnet_part(weights: Weights, base: Part) -> Part:
    """A ControlNet for the UNet `base`, whose heads and norms it shares, as no tensor shows them.

    Raises `BrokenFile` for what is no ControlNet.
    """
    prefix = _prefix(weights.table)
    if prefix is None:
        raise BrokenFile(weights.path, "it holds no ControlNet in a layout that we know")
    shape = unet_sizes.read_shape(weights.table, prefix)
    hint = _hint_channels(weights.table, prefix)
    config = unet.config(
        shape, base.config, heads=None, norm_groups=base.config["norm_num_groups"],
        own={"attention_head_dim": base.config["attention_head_dim"]},
    )  # fmt: skip
    keys: dict[str, Piece] = {}
    shapes: dict[str, tuple[int, ...]] = {}
    names = {**unet.names(shape), **dict(_ends(len(hint)))}
    for key, entry in weights.table.tensors.items():
        name = key[len(prefix) :]
        if key.startswith(prefix) and name.partition(".")[0] in (*_TOPS, *_OF_DIFFUSERS):
            ours = rename(name, names)
            keys[ours], shapes[ours] = weights.piece(key), entry.shape
    sizes: Mapping[str, Any] = {
        **{name: config[name] for name in _FROM_UNET if name in config},
        "conditioning_channels": _hint_in(weights.table, prefix),
        "conditioning_embedding_out_channels": hint,
    }
    return Part(CONTROLNET, _COMPONENT, sizes, weights.path, keys, shapes)


def _prefix(table: TensorTable) -> str | None:
    return next((one for one in _PREFIXES if table.shape(one + _LDM_HINT) or table.shape(one + _HINT)), None)


def _hint_in(table: TensorTable, prefix: str) -> int:
    return (table.shape(prefix + _LDM_HINT) or table.shape(prefix + _HINT) or (0, 0))[1]


def _hint_channels(table: TensorTable, prefix: str) -> tuple[int, ...]:
    """What the picture is widened to, step by step: the first convolution's, then every second one's."""
    if first := table.shape(prefix + _LDM_HINT):
        names = (f"{prefix}input_hint_block.{index}.weight" for index in count(4, 4))
        widths = [shape[0] for shape in takewhile(bool, map(table.shape, names)) if shape]
    else:
        first = table.shape(prefix + _HINT)
        names = (f"{prefix}controlnet_cond_embedding.blocks.{index}.weight" for index in count(1, 2))
        widths = [shape[0] for shape in takewhile(bool, map(table.shape, names)) if shape]
    return ((first or (0,))[0], *widths)


def _ends(hint: int) -> Iterator[tuple[str, str]]:
    """What a ControlNet has beside its half of a UNet."""
    yield "input_hint_block.0", "controlnet_cond_embedding.conv_in"
    for block in range(2 * (hint - 1)):
        yield f"input_hint_block.{2 * block + 2}", f"controlnet_cond_embedding.blocks.{block}"
    yield f"input_hint_block.{4 * hint - 2}", "controlnet_cond_embedding.conv_out"
    for block in range(100):
        yield f"zero_convs.{block}.0", f"controlnet_down_blocks.{block}"
    yield "middle_block_out.0", "controlnet_mid_block"
