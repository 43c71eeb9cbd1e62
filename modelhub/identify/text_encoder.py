"""Text encoder alone: CLIP, T5, or a language model that some family reads text with.

CLIP-L serves SD1, SDXL and FLUX.1 alike, and so it is with most: only the header can name a family. CLIP's half that
sees pictures is what adapters look through, so it is an adapter.
"""

from modelhub.identify._encoders import Encoder, read_encoder
from modelhub.identify._known import Claim, Known, WeightFile, stated
from modelhub.identify._parts import holds_control
from modelhub.kinds import Facts, Kind, Source

_REQUIRED = 2
"""Embeddings and a first layer: less than any model has that holds an encoder among other things."""


def claim(file: WeightFile) -> Claim | None:
    encoder = read_encoder(file)
    if encoder is None or holds_control(file):
        return None
    return Claim(_REQUIRED, _seeing(file, encoder) if encoder.sees else _reading(file, encoder))


def _reading(file: WeightFile, encoder: Encoder) -> Facts:
    ours = file.header.own_family()
    width = f"{encoder.measured} is {encoder.width} wide"
    return stated(
        Kind.TEXT_ENCODER,
        _because(encoder),
        family=Known(ours.meaning, Source.HEADER, f"{ours.key} is {ours.text}") if ours and ours.meaning else None,
        variant=Known(encoder.called, Source.TENSORS, width) if encoder.called else None,
        format=_format(file, encoder),
        context_width=Known(encoder.width, Source.TENSORS, width) if encoder.width else None,
    )


def _seeing(file: WeightFile, encoder: Encoder) -> Facts:
    width = f"{encoder.measured} is {encoder.width} wide"
    return stated(
        Kind.ADAPTER,
        _because(encoder),
        variant=Known("clip-vision", Source.TENSORS, "it encodes pictures, and no text"),
        format=_format(file, encoder),
        algorithm=Known(encoder.called, Source.TENSORS, width) if encoder.called else None,
    )


def _because(encoder: Encoder) -> str:
    return f"{encoder.what}, under {encoder.prefix or 'no prefix'}"


def _format(file: WeightFile, encoder: Encoder) -> Known:
    return Known(f"{file.table.container}/{encoder.layout}", Source.TENSORS, f"it bears {encoder.layout} names")
