"""The UNet inside a checkpoint or alone: what its shapes tell (keys of CompVis/latent-diffusion and diffusers)."""

from dataclasses import dataclass

from modelhub.families import UNet, known
from modelhub.identify._known import Known, WeightFile
from modelhub.kinds import Source

__all__ = ["Denoiser", "denoiser_family", "prediction_type", "read_denoiser", "variant"]

_VARIANTS = {9: "inpaint", 8: "pix2pix", 5: "depth"}


@dataclass(frozen=True, slots=True)
class _Layout:
    name: str
    prefixes: tuple[str, ...]
    first: str
    last: str
    label: str
    """Where it enters the conditions other than text."""


_LAYOUTS = (
    _Layout(
        "ldm",
        ("model.diffusion_model.", "diffusion_model.", ""),
        "input_blocks.0.0.weight",
        "out.2.weight",
        "label_emb.0.0.weight",
    ),
    _Layout("diffusers", ("unet.", ""), "conv_in.weight", "conv_out.weight", "add_embedding.linear_1.weight"),
)


@dataclass(frozen=True, slots=True)
class Denoiser:
    """The shapes that tell one UNet from another."""

    layout: str
    """``ldm`` or ``diffusers``: whose names its tensors bear."""
    prefix: str
    in_channels: int
    model_channels: int
    context_width: int | None
    conv_projections: bool
    class_width: int | None


def read_denoiser(file: WeightFile) -> Denoiser | None:
    """The file's UNet, or None when it has none."""
    for layout in _LAYOUTS:
        prefix = file.prefix(layout.prefixes, required=(layout.first, layout.last))
        first = file.table.shape(f"{prefix}{layout.first}")
        if prefix is not None and first is not None and len(first) == 4:
            return _read(file, layout, prefix, first)
    return None


def denoiser_family(file: WeightFile, unet: Denoiser) -> Known | None:
    """Known widths name a family; other widths need our own header key."""
    shape = (unet.model_channels, unet.context_width, unet.conv_projections, unet.class_width)
    for family in known().values():
        if family.unet and _shape_of(family.unet) == shape:
            detail = f"{unet.model_channels} channels, text {unet.context_width} wide, "
            return Known(family.name, Source.TENSORS, detail + _projections(unet))
    ours = file.header.own_family()
    return Known(ours.meaning, Source.HEADER, f"{ours.key} is {ours.text}") if ours and ours.meaning else None


def variant(unet: Denoiser) -> Known | None:
    """What else enters beside the latents."""
    name = _VARIANTS.get(unet.in_channels)
    return Known(name, Source.TENSORS, f"the UNet takes {unet.in_channels} channels") if name else None


def prediction_type(file: WeightFile) -> Known | None:
    """``epsilon`` or ``v`` where the file tells; otherwise the family's default holds."""
    said = file.header.prediction_type()
    if said and said.meaning:
        return Known(said.meaning, Source.HEADER, f"{said.key} is {said.text}")
    return Known("v", Source.TENSORS, "it holds the marker tensor v_pred") if "v_pred" in file.table.tensors else None


def _read(file: WeightFile, layout: _Layout, prefix: str, first: tuple[int, ...]) -> Denoiser:
    ours = [name for name in file.table.tensors if name.startswith(prefix)]
    context = _shape(file, file.first(lambda name: name.endswith("attn2.to_k.weight"), ours))
    projection = _shape(file, file.first(lambda name: name.endswith(".proj_in.weight"), ours))
    label = file.table.shape(prefix + layout.label)
    return Denoiser(
        layout=layout.name,
        prefix=prefix,
        in_channels=first[1],
        model_channels=first[0],
        context_width=context[1] if len(context) == 2 else None,
        conv_projections=len(projection) == 4,
        class_width=label[1] if label and len(label) == 2 else None,
    )


def _shape(file: WeightFile, name: str | None) -> tuple[int, ...]:
    return (file.table.shape(name) or ()) if name else ()


def _shape_of(unet: UNet) -> tuple[int, int, bool, int | None]:
    return unet.channels, unet.context_width, unet.conv_projections, unet.class_width


def _projections(unet: Denoiser) -> str:
    return "convolutions into its attention" if unet.conv_projections else "linear layers into its attention"
