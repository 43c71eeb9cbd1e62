"""What the shapes of a UNet's tensors tell, in latent diffusion's layout or in diffusers' own (pure, no torch)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count, takewhile

from inference.weights.unet import UNetShape
from modelhub.headers import TensorTable

__all__ = ["DIFFUSERS_ENTRY", "LDM_ENTRY", "read_shape"]

LDM_ENTRY = "input_blocks.0.0.weight"
DIFFUSERS_ENTRY = "conv_in.weight"

_Depths = tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class _Walk:
    """A UNet's blocks as one layout numbers them."""

    entry: str
    end: str
    label: str
    middle: tuple[str, str]
    """Its first resnet's last convolution, and its attention."""
    down: Callable[["_Tensors"], "_Levels"]
    up: Callable[["_Tensors"], "_Levels"]


@dataclass(frozen=True, slots=True)
class _Levels:
    widths: tuple[int, ...]
    depths: _Depths
    """Transformer blocks of each resnet's attention, 0 for none, a row a level."""


@dataclass(frozen=True, slots=True)
class _Tensors:
    table: TensorTable
    prefix: str

    def shape(self, name: str) -> tuple[int, ...]:
        return self.table.shape(self.prefix + name) or ()

    def depth(self, attention: str) -> int:
        names = (f"{attention}.transformer_blocks.{index}.norm1.weight" for index in count())
        return sum(1 for _ in takewhile(self.shape, names))


def read_shape(table: TensorTable, prefix: str) -> UNetShape:
    """Sizes of the UNet whose keys begin with `prefix`, of whatever size it is."""
    tensors = _Tensors(table, prefix)
    walk = _LDM if tensors.shape(LDM_ENTRY) else _DIFFUSERS
    down, up = walk.down(tensors), walk.up(tensors)
    resnet, attention = walk.middle
    first = next((key for key in table.tensors if key.startswith(prefix) and key.endswith("attn2.to_k.weight")), "")
    projection = first.split("transformer_blocks")[0] + "proj_in.weight"
    return UNetShape(
        in_channels=_side(tensors.shape(walk.entry), 1),
        out_channels=_side(tensors.shape(walk.end), 0),
        channels=down.widths,
        depths=down.depths,
        up_depths=up.depths,
        middle_depth=tensors.depth(attention) if tensors.shape(resnet) else None,
        context_width=_side(table.shape(first) or (), 1),
        class_width=_side(tensors.shape(walk.label), 1) or None,
        linear_projection=len(table.shape(projection) or ()) == 2,
        diffusers_names=walk is _DIFFUSERS,
    )


def _ldm_down(tensors: _Tensors) -> _Levels:
    """A block that makes smaller ends a level."""
    return _levels(_ldm_blocks(tensors, "input_blocks", 1, lambda block: bool(tensors.shape(f"{block}.0.op.weight"))))


def _ldm_up(tensors: _Tensors) -> _Levels:
    """What makes larger stands last in the last block of a level."""
    ends = ("1.conv.weight", "2.conv.weight")
    return _levels(
        _ldm_blocks(tensors, "output_blocks", 0, lambda block: any(tensors.shape(f"{block}.{end}") for end in ends))
    )


def _ldm_blocks(
    tensors: _Tensors, side: str, start: int, ends: Callable[[str], bool]
) -> Iterator[tuple[int, int] | None]:
    """(width, depth) of each resnet; None where a level ends."""
    for index in count(start):
        block = f"{side}.{index}"
        resnet, ending = tensors.shape(f"{block}.0.out_layers.3.weight"), ends(block)
        if resnet:
            yield resnet[0], tensors.depth(f"{block}.1")
        if ending:
            yield None
        if not resnet and not ending:
            return


def _diffusers_side(side: str) -> Callable[[_Tensors], _Levels]:
    def blocks(tensors: _Tensors) -> Iterator[tuple[int, int] | None]:
        for level in count():
            at = f"{side}.{level}"
            resnets = (tensors.shape(f"{at}.resnets.{index}.conv2.weight") for index in count())
            widths = [shape[0] for shape in takewhile(bool, resnets)]
            yield from ((width, tensors.depth(f"{at}.attentions.{index}")) for index, width in enumerate(widths))
            yield None
            if not widths:
                return

    return lambda tensors: _levels(blocks(tensors))


def _levels(blocks: Iterator[tuple[int, int] | None]) -> _Levels:
    widths: list[int] = []
    depths: list[list[int]] = []
    begins = True
    for block in blocks:
        if block is None:
            begins = True
            continue
        width, depth = block
        if begins:
            widths.append(width)
            depths.append([])
        begins = False
        widths[-1] = width
        depths[-1].append(depth)
    return _Levels(tuple(widths), tuple(map(tuple, depths)))


def _side(shape: tuple[int, ...], side: int) -> int:
    return shape[side] if len(shape) > side else 0


_LDM = _Walk(
    LDM_ENTRY,
    "out.2.weight",
    "label_emb.0.0.weight",
    ("middle_block.0.out_layers.3.weight", "middle_block.1"),
    _ldm_down,
    _ldm_up,
)
_DIFFUSERS = _Walk(
    DIFFUSERS_ENTRY,
    "conv_out.weight",
    "add_embedding.linear_1.weight",
    ("mid_block.resnets.0.conv2.weight", "mid_block.attentions.0"),
    _diffusers_side("down_blocks"),
    _diffusers_side("up_blocks"),
)
