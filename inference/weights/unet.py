"""Names and sizes of a UNet in the latent-diffusion single-file layout (pure, no torch).

The layout is CompVis/stable-diffusion's `openaimodel.UNetModel`; sizes are read from the shapes as they are, so
pruned and tiny models load too.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["HEAD_WIDTH", "UNetShape", "config", "names", "shape_of"]

HEAD_WIDTH = 64
"""Columns of an attention head, in families that do not fix how many there are."""
_WITH_ATTENTION = "UNetMidBlock2DCrossAttn"
_WITHOUT = "UNetMidBlock2D"
_UNSHOWN = (
    "act_fn", "addition_time_embed_dim", "attention_head_dim", "center_input_sample", "downsample_padding",
    "flip_sin_to_cos", "freq_shift", "mid_block_scale_factor", "norm_eps", "norm_num_groups", "time_cond_proj_dim",
    "upcast_attention",
)  # fmt: skip
"""What a folder's own configuration is believed in, since no tensor shows it."""
_RESNET = {
    "in_layers.0": "norm1",
    "in_layers.2": "conv1",
    "emb_layers.1": "time_emb_proj",
    "out_layers.0": "norm2",
    "out_layers.3": "conv2",
    "skip_connection": "conv_shortcut",
}
_ENDS = {
    "time_embed.0": "time_embedding.linear_1",
    "time_embed.2": "time_embedding.linear_2",
    "label_emb.0.0": "add_embedding.linear_1",
    "label_emb.0.2": "add_embedding.linear_2",
    "input_blocks.0.0": "conv_in",
    "out.0": "conv_norm_out",
    "out.2": "conv_out",
}


@dataclass(frozen=True, slots=True)
class UNetShape:
    """All that the tensor shapes tell about a UNet."""

    in_channels: int
    out_channels: int
    channels: tuple[int, ...]
    """Per level, the first one at full latent resolution."""
    depths: tuple[tuple[int, ...], ...]
    """Transformer blocks after each resnet on the way down, 0 where it has no attention; a row a level."""
    up_depths: tuple[tuple[int, ...], ...]
    """Likewise on the way up, the last level first."""
    middle_depth: int | None
    """0 is a single resnet; None where there is no middle at all."""
    context_width: int
    linear_projection: bool
    class_width: int | None = None
    """Columns of what it is told beside the text (SDXL: the text as a whole, and sizes)."""
    diffusers_names: bool = False
    """Whether the file already uses diffusers' names."""

    @property
    def layers(self) -> tuple[int, ...]:
        """Resnets per level on the way down; one more on the way up."""
        return tuple(map(len, self.depths))


def shape_of(config: Mapping[str, Any]) -> UNetShape:
    """The sizes that a diffusers configuration describes: the inverse of `config`."""
    levels = len(config["block_out_channels"])
    layers = _each(config["layers_per_block"], levels)
    depths = _each(config["transformer_layers_per_block"], levels)
    up = config.get("reverse_transformer_layers_per_block") or depths[::-1]
    middle = {None: None, _WITHOUT: 0}.get(config["mid_block_type"], _each(depths[-1], 1)[0])
    return UNetShape(
        in_channels=config["in_channels"],
        out_channels=config["out_channels"],
        channels=tuple(config["block_out_channels"]),
        depths=_rows(config["down_block_types"], depths, layers),
        up_depths=_rows(config["up_block_types"], up, [one + 1 for one in reversed(layers)]),
        middle_depth=middle,
        context_width=config["cross_attention_dim"],
        linear_projection=config["use_linear_projection"],
        class_width=config.get("projection_class_embeddings_input_dim"),
    )


def names(shape: UNetShape) -> dict[str, str]:
    """File prefix -> diffusers module, for every leaf of the net that is named differently there."""
    if shape.diffusers_names:
        return {}
    return dict(_ENDS) | dict(_down(shape)) | dict(_middle(shape)) | dict(_up(shape))


def config(
    shape: UNetShape, defaults: Mapping[str, Any], *, heads: int | None, norm_groups: int, own: Mapping[str, Any]
) -> dict[str, Any]:
    """Arguments of diffusers' `UNet2DConditionModel` for these sizes.

    `defaults` are the family's other ones, `own` those of the model's own configuration where it has any. Without
    `heads` there is one for every `HEAD_WIDTH` channels.
    """
    up_as_down = shape.up_depths == tuple(row[:1] * (len(row) + 1) for row in reversed(shape.depths))
    sizes = {
        "in_channels": shape.in_channels,
        "out_channels": shape.out_channels,
        "block_out_channels": shape.channels,
        "layers_per_block": _one(shape.layers),
        "down_block_types": ["CrossAttnDownBlock2D" if any(row) else "DownBlock2D" for row in shape.depths],
        "up_block_types": ["CrossAttnUpBlock2D" if any(row) else "UpBlock2D" for row in shape.up_depths],
        "mid_block_type": {None: None, 0: _WITHOUT}.get(shape.middle_depth, _WITH_ATTENTION),
        "transformer_layers_per_block": [_depth(row, shape.middle_depth) for row in shape.depths],
        "reverse_transformer_layers_per_block": None if up_as_down else [_depth(row, 1) for row in shape.up_depths],
        "cross_attention_dim": shape.context_width,
        "use_linear_projection": shape.linear_projection,
    }
    labels = {"addition_embed_type": "text_time", "projection_class_embeddings_input_dim": shape.class_width}
    unshown = {
        "attention_head_dim": heads or [max(1, width // HEAD_WIDTH) for width in shape.channels],
        "norm_num_groups": norm_groups,
        **{name: own[name] for name in _UNSHOWN if own.get(name) is not None},
    }
    return {**defaults, **sizes, **(labels if shape.class_width else {}), **unshown}


def _depth(row: tuple[int, ...], otherwise: int | None) -> int | tuple[int, ...]:
    """Of one level: a number where its attentions are alike. A level without any says the middle's."""
    return _one(row) if any(row) else otherwise or 1


def _one(row: tuple[int, ...]) -> int | tuple[int, ...]:
    return row[0] if len(set(row)) == 1 else row


def _each(value: Any, count: int) -> list[Any]:
    return [value] * count if isinstance(value, int) else list(value)


def _rows(kinds: Sequence[str], depths: Sequence[Any], layers: Sequence[int]) -> tuple[tuple[int, ...], ...]:
    return tuple(
        tuple(_each(depth, count)) if kind.startswith("CrossAttn") else (0,) * count
        for kind, depth, count in zip(kinds, depths, layers, strict=True)
    )


def _down(shape: UNetShape) -> Iterator[tuple[str, str]]:
    index = 1
    for level, depths in enumerate(shape.depths):
        for layer, depth in enumerate(depths):
            yield from _block(f"input_blocks.{index}", f"down_blocks.{level}", layer, depth)
            index += 1
        if level + 1 < len(shape.depths):
            yield f"input_blocks.{index}.0.op", f"down_blocks.{level}.downsamplers.0.conv"
            index += 1


def _middle(shape: UNetShape) -> Iterator[tuple[str, str]]:
    if shape.middle_depth is not None:
        yield from _resnet("middle_block.0", "mid_block.resnets.0")
    if shape.middle_depth:
        yield "middle_block.1", "mid_block.attentions.0"
        yield from _resnet("middle_block.2", "mid_block.resnets.1")


def _up(shape: UNetShape) -> Iterator[tuple[str, str]]:
    index = 0
    for level, depths in enumerate(shape.up_depths):
        for layer, depth in enumerate(depths):
            yield from _block(f"output_blocks.{index}", f"up_blocks.{level}", layer, depth)
            index += 1
        if level + 1 < len(shape.up_depths):
            yield f"output_blocks.{index - 1}.{2 if depths[-1] else 1}.conv", f"up_blocks.{level}.upsamplers.0.conv"


def _block(file: str, module: str, layer: int, depth: int) -> Iterator[tuple[str, str]]:
    yield from _resnet(f"{file}.0", f"{module}.resnets.{layer}")
    if depth:
        yield f"{file}.1", f"{module}.attentions.{layer}"


def _resnet(file: str, module: str) -> Iterator[tuple[str, str]]:
    for theirs, ours in _RESNET.items():
        yield f"{file}.{theirs}", f"{module}.{ours}"
