"""UNets: what their shapes tell (keys of CompVis/latent-diffusion and diffusers)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count, takewhile

from modelhub.families import Family, UNet, UNetVariant, known
from modelhub.identify._known import Denoiser, Known, WeightFile
from modelhub.kinds import Source

__all__ = ["read_unet"]

_REQUIRED = 4
"""Its first and last convolution, by which it is known to be whole, and nothing that makes it a ControlNet's."""
_USUAL_VARIANTS = {9: "inpaint", 8: "pix2pix", 5: "depth"}
"""Channels that enter -> what stands beside the four of the latents, in every family of UNets."""
_PLAIN = 4
_KEY = "attn2.to_k.weight"
_PROJECTION = "encoder_hid_proj.weight"
"""Kolors narrows the text encodings by this before they enter."""


@dataclass(frozen=True, slots=True)
class _Layout:
    name: str
    prefixes: tuple[str, ...]
    first: str
    last: str
    labels: tuple[str, ...]
    """Where it enters the conditions other than text: the first that exists."""
    attentions: Callable[[WeightFile, str], Iterator[str]]
    """The places of its attention on the way down, then in the middle, as far as they exist."""


@dataclass(frozen=True, slots=True)
class _Shape:
    """The shapes that tell one UNet from another."""

    in_channels: int
    channels: int
    context_width: int | None
    conv_projections: bool
    class_width: int | None
    depths: tuple[int, ...]


def read_unet(file: WeightFile) -> Denoiser | None:
    """The file's UNet, or None when it has none."""
    for layout in _LAYOUTS:
        prefix = file.prefix(layout.prefixes, required=(layout.first, layout.last))
        first = file.table.shape(f"{prefix}{layout.first}")
        if prefix is not None and first is not None and len(first) == 4:
            return _denoiser(file, layout, prefix, _read(file, layout, prefix, first))
    return None


def _denoiser(file: WeightFile, layout: _Layout, prefix: str, shape: _Shape) -> Denoiser:
    family, because = _family(file, shape)
    return Denoiser(
        what="a UNet",
        layout=layout.name,
        prefix=prefix,
        strength=_REQUIRED,
        family=because,
        variant=_variant(file, family, shape),
        context_width=_text_width(file, prefix, shape),
        takes_latents_only=shape.in_channels == _PLAIN,
    )


def _read(file: WeightFile, layout: _Layout, prefix: str, first: tuple[int, ...]) -> _Shape:
    places = list(layout.attentions(file, prefix))
    context = file.columns(f"{places[0]}transformer_blocks.0.{_KEY}") if places else None
    projection = file.table.shape(f"{places[0]}proj_in.weight") if places else None
    return _Shape(
        in_channels=first[1],
        channels=first[0],
        context_width=context,
        conv_projections=projection is not None and len(projection) == 4,
        class_width=next(filter(None, (file.columns(prefix + label) for label in layout.labels)), None),
        depths=tuple(_depth(file, place) for place in places if "middle" not in place and "mid_block" not in place),
    )


def _depth(file: WeightFile, place: str) -> int:
    present = (f"{place}transformer_blocks.{index}.{_KEY}" in file.table.tensors for index in count())
    return sum(takewhile(bool, present))


def _ldm_attentions(file: WeightFile, prefix: str) -> Iterator[str]:
    tensors = file.table.tensors
    for index in count(1):
        block = f"{prefix}input_blocks.{index}."
        if f"{block}1.transformer_blocks.0.{_KEY}" in tensors:
            yield f"{block}1."
        elif f"{block}0.op.weight" not in tensors and f"{block}0.in_layers.2.weight" not in tensors:
            break
    if f"{prefix}middle_block.1.transformer_blocks.0.{_KEY}" in tensors:
        yield f"{prefix}middle_block.1."


def _diffusers_attentions(file: WeightFile, prefix: str) -> Iterator[str]:
    tensors = file.table.tensors
    for level in range(8):
        for index in count():
            place = f"{prefix}down_blocks.{level}.attentions.{index}."
            if f"{place}transformer_blocks.0.{_KEY}" not in tensors:
                break
            yield place
    if f"{prefix}mid_block.attentions.0.transformer_blocks.0.{_KEY}" in tensors:
        yield f"{prefix}mid_block.attentions.0."


_LAYOUTS = (
    _Layout(
        "ldm",
        ("model.diffusion_model.", "diffusion_model.", "unet.", ""),
        "input_blocks.0.0.weight",
        "out.2.weight",
        ("label_emb.0.0.weight",),
        _ldm_attentions,
    ),
    _Layout(
        "diffusers",
        ("unet.", "model.diffusion_model.", "diffusion_model.", ""),
        "conv_in.weight",
        "conv_out.weight",
        ("add_embedding.linear_1.weight", "class_embedding.linear_1.weight"),
        _diffusers_attentions,
    ),
)


def _family(file: WeightFile, shape: _Shape) -> tuple[Family | None, Known | None]:
    """Known widths name a family; other widths need our own header key."""
    for family in known().values():
        if family.unet and _is(family.unet, shape):
            return family, Known(family.name, Source.TENSORS, _described(shape))
    ours = file.header.own_family()
    if ours is None or ours.meaning is None:
        return None, None
    return known()[ours.meaning], Known(ours.meaning, Source.HEADER, f"{ours.key} is {ours.text}")


def _is(unet: UNet, shape: _Shape) -> bool:
    classes = {unet.class_width, *(one.class_width for one in unet.variants if one.class_width)}
    return shape.class_width in classes and (unet.channels, unet.context_width, unet.conv_projections) == (
        shape.channels,
        shape.context_width,
        shape.conv_projections,
    )


def _described(shape: _Shape) -> str:
    ways = "convolutions" if shape.conv_projections else "linear layers"
    classes = f", conditions {shape.class_width} wide" if shape.class_width else ""
    return f"{shape.channels} channels, text {shape.context_width} wide{classes}, {ways} into its attention"


def _variant(file: WeightFile, family: Family | None, shape: _Shape) -> Known | None:
    """What enters beside the latents says most of it."""
    unet = family.unet if family else None
    plain = shape.in_channels == (unet.in_channels if unet else _PLAIN)
    for one in unet.variants if unet else ():
        if (one.in_channels is None) == plain and (detail := _marks(file, one, shape)):
            return Known(one.name, Source.TENSORS, detail)
    if plain:
        return None
    name = _USUAL_VARIANTS.get(shape.in_channels, f"{shape.in_channels}-channel")
    return Known(name, Source.TENSORS, f"the UNet takes {shape.in_channels} channels")


def _marks(file: WeightFile, variant: UNetVariant, shape: _Shape) -> str | None:
    """What shows that it is this variant, or None when something says that it is not."""
    signs = {
        f"the UNet takes {variant.in_channels} channels": (variant.in_channels, shape.in_channels),
        f"conditions are {variant.class_width} wide": (variant.class_width, shape.class_width),
        f"transformers per attention are {variant.depths}": (variant.depths, shape.depths),
        f"it holds {variant.marker}": (variant.marker, variant.marker if variant.marker in file.table.tensors else ""),
    }
    said = {detail: wanted == found for detail, (wanted, found) in signs.items() if wanted is not None}
    return ", ".join(said) if all(said.values()) else None


def _text_width(file: WeightFile, prefix: str, shape: _Shape) -> Known | None:
    if width := file.columns(prefix + _PROJECTION):
        return Known(width, Source.TENSORS, f"columns of {_PROJECTION}")
    return Known(shape.context_width, Source.TENSORS, f"columns of {_KEY}") if shape.context_width else None
