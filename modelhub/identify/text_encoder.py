"""Text encoder: a CLIP text model alone, as transformers saves it or as checkpoints hold it.

CLIP-L serves SD1, SDXL and FLUX.1 alike, so only the header can name a family.
"""

from modelhub.identify._denoiser import read_denoiser
from modelhub.identify._known import Claim, Known, WeightFile, stated
from modelhub.identify._parts import vae_place
from modelhub.kinds import Kind, Source

_REQUIRED = 4
"""Token embeddings, a first layer, and neither UNet nor autoencoder beside them."""
_PREFIXES = ("text_model.", "cond_stage_model.transformer.text_model.", "cond_stage_model.transformer.", "")
_TOKENS = "embeddings.token_embedding.weight"


def claim(file: WeightFile) -> Claim | None:
    prefix = file.prefix(_PREFIXES, required=(_TOKENS, "encoder.layers.0.self_attn.q_proj.weight"))
    if prefix is None or read_denoiser(file) is not None or vae_place(file) is not None:
        return None
    width = (file.table.shape(prefix + _TOKENS) or (0, 0))[-1]
    ours = file.header.own_family()
    facts = stated(
        Kind.TEXT_ENCODER,
        "a CLIP text model's embeddings and layers",
        family=Known(ours.meaning, Source.HEADER, f"{ours.key} is {ours.text}") if ours and ours.meaning else None,
        format=Known("safetensors/transformers", Source.TENSORS, "it bears transformers' names"),
        context_width=Known(width, Source.TENSORS, "columns of its token embeddings"),
    )
    return Claim(_REQUIRED, facts)
