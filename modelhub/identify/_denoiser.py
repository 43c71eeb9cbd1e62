"""The denoiser inside a checkpoint or alone: what it is, and all that follows from it."""

from modelhub.families import Family, known
from modelhub.identify._known import Denoiser, Known, WeightFile, stated
from modelhub.identify._names import says
from modelhub.identify._parts import holds_control
from modelhub.identify._prediction import prediction_by_values, prediction_type, zero_snr
from modelhub.identify._transformer import read_transformer
from modelhub.identify._unet import read_unet
from modelhub.kinds import Facts, Kind, Source

__all__ = ["denoiser_facts", "read_denoiser"]

_EMA = ("model_ema.decay", "model_ema.num_updates")


def read_denoiser(file: WeightFile) -> Denoiser | None:
    """The file's UNet or diffusion transformer; None where it has none that we know, or one that a ControlNet bears."""
    return None if holds_control(file) else read_unet(file) or read_transformer(file)


def denoiser_facts(file: WeightFile, denoiser: Denoiser, kind: Kind, because: str) -> Facts:
    """All that a checkpoint or a denoiser alone shows."""
    averaged = ", and averages (EMA) of them" if any(name in file.table.tensors for name in _EMA) else ""
    family = known()[denoiser.family.value] if denoiser.family else None
    layout = "diffusers" if file.table.container == "diffusers" else denoiser.layout
    return stated(
        kind,
        f"{because}, under {denoiser.prefix or 'no prefix'}{averaged}",
        family=denoiser.family,
        variant=_variant(file, denoiser, family),
        format=Known(f"{file.table.container}/{layout}", Source.TENSORS, f"its denoiser bears {layout} names"),
        prediction_type=prediction_type(file) or prediction_by_values(file, denoiser, family),
        zero_snr=zero_snr(file),
        context_width=denoiser.context_width,
    )


def _variant(file: WeightFile, denoiser: Denoiser, family: Family | None) -> Known | None:
    """What the tensors show, narrowed by the file's name where only the name can tell."""
    shown = denoiser.variant.value if denoiser.variant else None
    for one in family.named_variants if family else ():
        if one.among == shown and says(file.name, [one.word]):
            return Known(one.name, Source.NAME, f"the name says {one.word}")
    return denoiser.variant
