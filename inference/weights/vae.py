"""Names and sizes of an autoencoder, in the latent-diffusion layout or in diffusers' own (pure, no torch)."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from modelhub.headers import TensorTable

__all__ = ["VaeShape", "config", "names", "read_shape", "shape_of"]

_ATTENTION = {"norm": "group_norm", "q": "to_q", "k": "to_k", "v": "to_v", "proj_out": "to_out.0"}
_OLD_ATTENTION = {"query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0"}
"""diffusers' own names before 0.15, which many published files still have."""
_UNSHOWN = ("act_fn", "norm_num_groups")
"""What a folder's own configuration is believed in, since no tensor shows it."""


@dataclass(frozen=True, slots=True)
class VaeShape:
    """All that the tensor shapes tell about an autoencoder."""

    channels: tuple[int, ...]
    """Per level of the encoder, the first one at full resolution."""
    layers: int
    """Resnets per level of the encoder; one more in the decoder."""
    latent_channels: int
    middle_attention: bool
    diffusers_names: bool
    """Whether the file already uses diffusers' names."""


def read_shape(table: TensorTable, prefix: str) -> VaeShape:
    """Sizes of the autoencoder whose keys begin with `prefix`."""
    native = table.shape(f"{prefix}encoder.down_blocks.0.resnets.0.conv1.weight") is not None
    level = "down_blocks.{}.resnets.{}" if native else "down.{}.block.{}"

    def width(index: int, layer: int) -> int | None:
        shape = table.shape(f"{prefix}encoder.{level.format(index, layer)}.conv1.weight")
        return shape[0] if shape else None

    attention = "mid_block.attentions.0.group_norm" if native else "mid.attn_1.norm"
    return VaeShape(
        channels=tuple(_while_found(width(index, 0) for index in range(16))),
        layers=len(list(_while_found(width(0, layer) for layer in range(16)))),
        latent_channels=(table.shape(f"{prefix}decoder.conv_in.weight") or (0, 0))[1],
        middle_attention=table.shape(f"{prefix}decoder.{attention}.weight") is not None,
        diffusers_names=native,
    )


def shape_of(config: Mapping[str, Any]) -> VaeShape:
    """The sizes that a diffusers configuration describes, for a file in the latent-diffusion layout."""
    return VaeShape(
        channels=tuple(config["block_out_channels"]),
        layers=config["layers_per_block"],
        latent_channels=config["latent_channels"],
        middle_attention=config["mid_block_add_attention"],
        diffusers_names=False,
    )


def names(shape: VaeShape) -> dict[str, str]:
    """File prefix -> diffusers module, for every part that is named differently there."""
    return dict(_renamed_since() if shape.diffusers_names else _pairs(shape))


def config(shape: VaeShape, defaults: Mapping[str, Any], *, norm_groups: int, own: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of diffusers' `AutoencoderKL` for these sizes.

    `defaults` are the family's other ones, `own` those of the model's own configuration where it has any.
    """
    levels = len(shape.channels)
    return {
        **defaults,
        "block_out_channels": shape.channels,
        "layers_per_block": shape.layers,
        "latent_channels": shape.latent_channels,
        "down_block_types": ["DownEncoderBlock2D"] * levels,
        "up_block_types": ["UpDecoderBlock2D"] * levels,
        "mid_block_add_attention": shape.middle_attention,
        "norm_num_groups": norm_groups,
        **{name: own[name] for name in _UNSHOWN if own.get(name) is not None},
    }


def _renamed_since() -> Iterator[tuple[str, str]]:
    for half in ("encoder", "decoder"):
        attention = f"{half}.mid_block.attentions.0"
        for old, new in _OLD_ATTENTION.items():
            yield f"{attention}.{old}", f"{attention}.{new}"


def _pairs(shape: VaeShape) -> Iterator[tuple[str, str]]:
    levels = len(shape.channels)
    for level in range(levels):
        for layer in range(shape.layers):
            yield from _resnet(f"encoder.down.{level}.block.{layer}", f"encoder.down_blocks.{level}.resnets.{layer}")
        for layer in range(shape.layers + 1):
            theirs = f"decoder.up.{levels - 1 - level}.block.{layer}"
            yield from _resnet(theirs, f"decoder.up_blocks.{level}.resnets.{layer}")
        yield f"encoder.down.{level}.downsample.conv", f"encoder.down_blocks.{level}.downsamplers.0.conv"
        yield f"decoder.up.{levels - 1 - level}.upsample.conv", f"decoder.up_blocks.{level}.upsamplers.0.conv"
    for half in ("encoder", "decoder"):
        yield f"{half}.norm_out", f"{half}.conv_norm_out"
        yield from _resnet(f"{half}.mid.block_1", f"{half}.mid_block.resnets.0")
        yield from _resnet(f"{half}.mid.block_2", f"{half}.mid_block.resnets.1")
        for theirs, ours in _ATTENTION.items():
            yield f"{half}.mid.attn_1.{theirs}", f"{half}.mid_block.attentions.0.{ours}"


def _resnet(file: str, module: str) -> Iterator[tuple[str, str]]:
    for part in ("norm1", "conv1", "norm2", "conv2"):
        yield f"{file}.{part}", f"{module}.{part}"
    yield f"{file}.nin_shortcut", f"{module}.conv_shortcut"


def _while_found(widths: Iterable[int | None]) -> Iterator[int]:
    for width in widths:
        if width is None:
            return
        yield width
