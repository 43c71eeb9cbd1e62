"""Text encoder alone: CLIP, T5, or a language model that some family reads text with.

CLIP-L serves SD1, SDXL and FLUX.1 alike, and so it is with most: only the header can name a family. A CLIP with both
halves is one too.
"""

from modelhub.identify._encoders import read_encoder
from modelhub.identify._known import Claim, Known, WeightFile, stated
from modelhub.identify._parts import holds_control
from modelhub.kinds import Kind, Source

_REQUIRED = 2
"""Embeddings and a first layer: less than any model has that holds an encoder among other things."""


def claim(file: WeightFile) -> Claim | None:
    encoder = read_encoder(file)
    if encoder is None or encoder.sees or holds_control(file):
        return None
    ours = file.header.own_family()
    width = f"{encoder.measured} is {encoder.width} wide"
    facts = stated(
        Kind.TEXT_ENCODER,
        f"{encoder.what}, under {encoder.prefix or 'no prefix'}",
        family=Known(ours.meaning, Source.HEADER, f"{ours.key} is {ours.text}") if ours and ours.meaning else None,
        variant=Known(encoder.called, Source.TENSORS, width) if encoder.called else None,
        format=Known(f"{file.table.container}/{encoder.layout}", Source.TENSORS, f"it bears {encoder.layout} names"),
        context_width=Known(encoder.width, Source.TENSORS, width) if encoder.width else None,
    )
    return Claim(_REQUIRED, facts)
