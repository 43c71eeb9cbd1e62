"""Where a file holds an autoencoder and text encoders, under whichever prefix."""

from modelhub.identify._known import WeightFile

__all__ = ["has_text_encoder", "vae_place"]

_VAE_PREFIXES = ("first_stage_model.", "vae.", "")
_VAE_LAYOUTS = {"ldm": "decoder.mid.block_1.conv1.weight", "diffusers": "decoder.mid_block.resnets.0.conv1.weight"}
_TEXT_ENCODERS = ("cond_stage_model.", "conditioner.embedders.", "text_encoders.", "text_encoder.")


def vae_place(file: WeightFile) -> tuple[str, str] | None:
    """Layout (``ldm`` or ``diffusers``) and prefix of the autoencoder that the file holds."""
    for layout, middle in _VAE_LAYOUTS.items():
        required = ("decoder.conv_in.weight", "decoder.conv_out.weight", middle)
        prefix = file.prefix(_VAE_PREFIXES, required=required)
        if prefix is not None:
            return layout, prefix
    return None


def has_text_encoder(file: WeightFile) -> bool:
    return any(name.startswith(_TEXT_ENCODERS) for name in file.table.tensors)
