"""Image encoder alone: CLIP's half that sees, DINOv2, SigLIP. Adapters look through them; likeness is told by them."""

from modelhub.identify._encoders import read_encoder
from modelhub.identify._known import Claim, Known, WeightFile, stated
from modelhub.identify._parts import holds_control
from modelhub.kinds import Kind, Source

_REQUIRED = 2
"""Embeddings and a first layer: less than any model has that sees among other things."""


def claim(file: WeightFile) -> Claim | None:
    encoder = read_encoder(file)
    if encoder is None or not encoder.sees or holds_control(file):
        return None
    width = f"{encoder.measured} is {encoder.width} wide"
    facts = stated(
        Kind.IMAGE_ENCODER,
        f"{encoder.what}, under {encoder.prefix or 'no prefix'}",
        format=Known(f"{file.table.container}/{encoder.layout}", Source.TENSORS, f"it bears {encoder.layout} names"),
        algorithm=Known(encoder.called, Source.TENSORS, width) if encoder.called else None,
    )
    return Claim(_REQUIRED, facts)
