"""UNet: a denoiser without what a checkpoint has around it."""

from modelhub.identify._denoiser import denoiser_family, prediction_type, read_denoiser, variant
from modelhub.identify._known import Claim, Known, WeightFile, stated
from modelhub.kinds import Kind, Source

_REQUIRED = 2
"""Its first and last convolution. A ControlNet has the first only."""


def claim(file: WeightFile) -> Claim | None:
    unet = read_denoiser(file)
    if unet is None:
        return None
    facts = stated(
        Kind.UNET,
        f"a UNet's first and last convolutions, under {unet.prefix or 'no prefix'}",
        family=denoiser_family(file, unet),
        variant=variant(unet),
        format=Known(f"safetensors/{unet.layout}", Source.TENSORS, f"it bears {unet.layout} names"),
        prediction_type=prediction_type(file),
        context_width=Known(unet.context_width, Source.TENSORS, "columns of attn2.to_k"),
    )
    return Claim(_REQUIRED, facts)
