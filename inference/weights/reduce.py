"""A safetensors file -> the same tensors in another precision, or fewer of them (pure)."""

from math import prod
from pathlib import Path

from inference.weights.parts import Piece, Weights
from inference.weights.rows import Content, Precision, RewritePlan, Row, Source, bytes_of, has_fraction, wanted_type
from modelhub.errors import BadValue, Incompatible
from modelhub.headers import TensorTable, read_table

__all__ = ["MARKERS", "plan_reduced"]

MARKERS = ("v_pred", "ztsnr", "edm_vpred.sigma_max", "edm_vpred.sigma_min", "edm_mean", "edm_std", "scaled_fp8")
"""Tensors that say by being there what a model predicts, or how its weights are packed."""
_EMA = "model_ema."
_NEEDED = (
    "model.diffusion_model.", "first_stage_model.", "cond_stage_model.", "conditioner.", "cc_projection.", "embedder.",
    "noise_augmentor.",
)  # fmt: skip
"""How that begins which drawing reads: model, VAE, text encoders, and what pictures are encoded with."""
_UNNEEDED = ("first_stage_model.loss.",)
_OF_EIGHT_BITS = (".scale_weight", ".weight_scale", ".scale_input", ".input_scale", ".comfy_quant", "scaled_fp8")
"""What stands beside weights in eight bits, and means nothing without them."""
_STALE = (
    "modelspec.hash_sha256", "modelspec.unet_dtype", "modelspec.vae_dtype", "sshs_model_hash", "sshs_legacy_hash",
    "_quantization_metadata",
)  # fmt: skip
"""What a header says of the very bytes that change."""


def plan_reduced(path: Path, *, precision: Precision | None, keep_ema: bool, prune: bool) -> RewritePlan:
    """Raises `BadValue` where nothing would change or nothing be left, `Incompatible` for packed weights."""
    weights = Weights(path, read_table(path))
    table = weights.table
    if prune and not any(name.startswith(_NEEDED) for name in table.tensors):
        raise BadValue(f"{path} is no checkpoint: there is nothing to prune", mend=f"modelhub convert {path} --fp16")
    kept = [name for name in table.tensors if _is_kept(name, precision, keep_ema=keep_ema and not prune, prune=prune)]
    rows = tuple(_row(weights, name, precision) for name in kept)
    if not rows:
        raise BadValue(f"{path} would have nothing left")
    if len(kept) == len(table.tensors) and all(row.dtype == table.tensors[row.name].dtype for row in rows):
        raise BadValue(f"{path} {_as_it_is(precision)}: there is nothing to change", mend=f"modelhub show {path}")
    return RewritePlan(path, {"": Content(rows, _metadata(table))}, tuple(table.tensors.keys() - set(kept)))


def _is_kept(name: str, precision: Precision | None, *, keep_ema: bool, prune: bool) -> bool:
    if precision and name.endswith(_OF_EIGHT_BITS):
        return False
    if prune and not name.startswith(_NEEDED):
        return name in MARKERS
    return not (prune and name.startswith(_UNNEEDED)) and (keep_ema or not name.startswith(_EMA))


def _row(weights: Weights, name: str, precision: Precision | None) -> Row:
    entry = weights.table.tensors[name]
    piece = weights.piece(name) if precision else Piece(name)
    if precision and name.endswith(".weight") and not has_fraction(entry.dtype):
        raise Incompatible(f"{name} of {weights.path} is packed ({entry.dtype}): its precision cannot be changed")
    dtype = wanted_type((entry.dtype,), precision)
    size = entry.end - entry.start if dtype == entry.dtype else bytes_of(dtype) * prod(entry.shape)
    return Row(name, dtype, entry.shape, (Source(weights.path, piece, entry.dtype),), size)


def _metadata(table: TensorTable) -> dict[str, str]:
    return {"format": "pt", **{key: text for key, text in table.metadata.items() if key not in _STALE}}


def _as_it_is(precision: Precision | None) -> str:
    return f"holds no numbers but {precision} ones" if precision else "holds nothing more than is needed"
