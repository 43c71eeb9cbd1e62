"""Which UNet a part is made for, by the widths at which it meets it."""

from modelhub.families import UNet, known
from modelhub.identify._known import Known, WeightFile
from modelhub.kinds import Source

__all__ = ["header_family", "text_family", "text_width", "unet_family"]

_ENTRIES = ("input_blocks.0.0.weight", "conv_in.weight")
_LABELS = ("label_emb.0.0.weight", "add_embedding.linear_1.weight")


def unet_family(file: WeightFile, prefix: str, context: Known | None) -> Known | None:
    """The only family whose UNet has these widths; where none has, the header's word."""
    channels, label = _side(file, prefix, _ENTRIES, 0), _side(file, prefix, _LABELS, 1)
    text = context.value if context else None
    fitting = [one.name for one in known().values() if one.unet and _fits(one.unet, channels, text, label)]
    if len(fitting) == 1 and (text or label):
        widths = {"channels": channels, "text": text, "class": label}
        told = ", ".join(f"{name} {width}" for name, width in widths.items() if width)
        return Known(fitting[0], Source.TENSORS, f"it is made for {told}")
    return header_family(file) if label else text_family(file, context)


def text_family(file: WeightFile, context: Known | None) -> Known | None:
    """The only family whose cross-attention everybody knows to be so wide; where none is, the header's word."""
    wanted = ((None, context.value),) if context else ()
    fitting = [one.name for one in known().values() if wanted and one.lora_modules.get("attn2_to_k") == wanted]
    if context and len(fitting) == 1:
        return Known(fitting[0], Source.TENSORS, f"its text is {context.value} wide: {context.detail}")
    return header_family(file)


def header_family(file: WeightFile) -> Known | None:
    said = next((said for said in file.header.families() if said.meaning), None)
    return Known(said.meaning, Source.HEADER, f"{said.key} is {said.text}") if said else None


def text_width(file: WeightFile, ending: str = "to_k.weight", part: str = "attn2.to_k") -> Known | None:
    """Columns of the first cross-attention that it holds."""
    for name in file.endings.get(ending, ()):
        shape = file.table.tensors[name].shape
        if part in name and len(shape) == 2:
            return Known(shape[1], Source.TENSORS, f"columns of {name}")
    return None


def _side(file: WeightFile, prefix: str, names: tuple[str, ...], side: int) -> int | None:
    shapes = (file.table.shape(prefix + name) or () for name in names)
    return next((shape[side] for shape in shapes if len(shape) > side), None)


def _fits(unet: UNet, channels: int | None, text: int | None, label: int | None) -> bool:
    """Whether what is known does not contradict it: a UNet without a label embedding has none in its parts either."""
    return channels in (None, unet.channels) and text in (None, unet.context_width) and label == unet.class_width
