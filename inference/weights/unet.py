"""Names and sizes of a UNet in the latent-diffusion single-file layout (pure, no torch).

The layout is CompVis/stable-diffusion's `openaimodel.UNetModel`; sizes are read from the shapes as they are, so
pruned and tiny models load too.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from modelhub.headers import TensorTable

__all__ = ["UNetShape", "config", "names", "read_shape", "shape_of"]

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
    layers: int
    """Resnets per level on the way down; one more on the way up."""
    depths: tuple[int, ...]
    """Transformer blocks per attention, per level; 0 where the level has no attention."""
    middle_depth: int
    context_width: int
    linear_projection: bool


def read_shape(table: TensorTable, prefix: str) -> UNetShape:
    """Walk the input blocks: a block that downsamples ends a level (ComfyUI's inference, formats of any size)."""
    conv_in = _shape(table, f"{prefix}input_blocks.0.0.weight")
    channels: list[int] = []
    layers: list[int] = []
    depths: list[int] = []
    resnets, width, depth = 0, 0, 0
    index = 1
    while True:
        block = f"{prefix}input_blocks.{index}."
        resnet = table.shape(f"{block}0.out_layers.3.weight")
        if resnet:
            resnets, width = resnets + 1, resnet[0]
            depth = _depth(table, f"{block}1.")
        else:
            channels.append(width)
            layers.append(resnets)
            depths.append(depth)
            resnets, depth = 0, 0
            if not table.shape(f"{block}0.op.weight"):
                break
        index += 1
    first = next((key for key in table.tensors if key.startswith(prefix) and key.endswith("attn2.to_k.weight")), "")
    projection = first.split("transformer_blocks")[0] + "proj_in.weight"
    return UNetShape(
        in_channels=conv_in[1],
        out_channels=_shape(table, f"{prefix}out.2.weight")[0],
        channels=tuple(channels),
        layers=layers[0],
        depths=tuple(depths),
        middle_depth=_depth(table, f"{prefix}middle_block.1."),
        context_width=(table.shape(first) or (0, 0))[1],
        linear_projection=len(table.shape(projection) or ()) == 2,
    )


def shape_of(config: Mapping[str, Any]) -> UNetShape:
    """The sizes that a diffusers configuration describes: the inverse of `config`."""
    attention = [kind.startswith("CrossAttn") for kind in config["down_block_types"]]
    depths = config["transformer_layers_per_block"]
    depths = [depths] * len(attention) if isinstance(depths, int) else depths
    return UNetShape(
        in_channels=config["in_channels"],
        out_channels=config["out_channels"],
        channels=tuple(config["block_out_channels"]),
        layers=config["layers_per_block"],
        depths=tuple(depth if there else 0 for depth, there in zip(depths, attention, strict=True)),
        middle_depth=depths[-1],
        context_width=config["cross_attention_dim"],
        linear_projection=config["use_linear_projection"],
    )


def names(shape: UNetShape) -> dict[str, str]:
    """File prefix -> diffusers module, for every leaf of the net that is named differently there."""
    return dict(_ENDS) | dict(_down(shape)) | dict(_middle(shape)) | dict(_up(shape))


def config(shape: UNetShape, defaults: Mapping[str, Any], *, heads: int, norm_groups: int) -> dict[str, Any]:
    """Arguments of diffusers' `UNet2DConditionModel` for these sizes; `defaults` are the family's other ones."""
    with_attention = [depth > 0 for depth in shape.depths]
    return {
        **defaults,
        "in_channels": shape.in_channels,
        "out_channels": shape.out_channels,
        "block_out_channels": shape.channels,
        "layers_per_block": shape.layers,
        "down_block_types": ["CrossAttnDownBlock2D" if one else "DownBlock2D" for one in with_attention],
        "up_block_types": ["CrossAttnUpBlock2D" if one else "UpBlock2D" for one in reversed(with_attention)],
        "mid_block_type": "UNetMidBlock2DCrossAttn",
        "transformer_layers_per_block": [max(1, depth) for depth in shape.depths],
        "cross_attention_dim": shape.context_width,
        "use_linear_projection": shape.linear_projection,
        "attention_head_dim": heads,
        "norm_num_groups": norm_groups,
    }


def _down(shape: UNetShape) -> Iterator[tuple[str, str]]:
    for level, depth in enumerate(shape.depths):
        start = 1 + level * (shape.layers + 1)
        for layer in range(shape.layers):
            yield from _block(f"input_blocks.{start + layer}", f"down_blocks.{level}", layer, depth)
        if level + 1 < len(shape.depths):
            yield f"input_blocks.{start + shape.layers}.0.op", f"down_blocks.{level}.downsamplers.0.conv"


def _middle(shape: UNetShape) -> Iterator[tuple[str, str]]:
    yield from _resnet("middle_block.0", "mid_block.resnets.0")
    if shape.middle_depth:
        yield "middle_block.1", "mid_block.attentions.0"
    yield from _resnet("middle_block.2", "mid_block.resnets.1")


def _up(shape: UNetShape) -> Iterator[tuple[str, str]]:
    for level, depth in enumerate(reversed(shape.depths)):
        start = level * (shape.layers + 1)
        for layer in range(shape.layers + 1):
            yield from _block(f"output_blocks.{start + layer}", f"up_blocks.{level}", layer, depth)
        if level + 1 < len(shape.depths):
            place = f"output_blocks.{start + shape.layers}.{2 if depth else 1}.conv"
            yield place, f"up_blocks.{level}.upsamplers.0.conv"


def _block(file: str, module: str, layer: int, depth: int) -> Iterator[tuple[str, str]]:
    yield from _resnet(f"{file}.0", f"{module}.resnets.{layer}")
    if depth:
        yield f"{file}.1", f"{module}.attentions.{layer}"


def _resnet(file: str, module: str) -> Iterator[tuple[str, str]]:
    for theirs, ours in _RESNET.items():
        yield f"{file}.{theirs}", f"{module}.{ours}"


def _depth(table: TensorTable, attention: str) -> int:
    depth = 0
    while table.shape(f"{attention}transformer_blocks.{depth}.norm1.weight"):
        depth += 1
    return depth


def _shape(table: TensorTable, name: str) -> tuple[int, ...]:
    return table.shape(name) or (0, 0, 0, 0)
