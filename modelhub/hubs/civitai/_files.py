"""A version's files: which of them are models, of what kind, and which is the one that most people want (pure)."""

import hashlib
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from modelhub.headers import WEIGHT_SUFFIXES
from modelhub.hubs._listing import RemoteFile, Scan
from modelhub.kinds import Kind
from modelhub.words.civitai import inner, name_in, number_of, rows_in
from modelhub.words.file_names import safe_name
from modelhub.words.strangers import number_in

__all__ = ["TYPES", "digests_of", "format_of", "has_digest", "is_pruned", "kind_of", "models_among", "precision_of"]
__all__ += ["remote_file"]

TYPES: Mapping[str, Kind] = {
    "Checkpoint": Kind.CHECKPOINT,
    "TextualInversion": Kind.EMBEDDING,
    "Hypernetwork": Kind.HYPERNETWORK,
    "LORA": Kind.LORA,
    "LoCon": Kind.LORA,
    "DoRA": Kind.LORA,
    "Controlnet": Kind.CONTROLNET,
    "Upscaler": Kind.UPSCALER,
    "VAE": Kind.VAE,
    "TextEncoder": Kind.TEXT_ENCODER,
    "CLIP": Kind.TEXT_ENCODER,
    "UNet": Kind.UNET,
    "CLIPVision": Kind.IMAGE_ENCODER,
    "VisionLanguage": Kind.CAPTIONER,
}
"""What the hub calls a model -> what it is for; the others have no kind of ours."""
_PARTS: Mapping[str, Kind] = {
    "Diffusion Model": Kind.UNET,
    "UNet": Kind.UNET,
    "Text Encoder": Kind.TEXT_ENCODER,
    "VAE": Kind.VAE,
    "Negative": Kind.EMBEDDING,
    "ControlNet": Kind.CONTROLNET,
    "Upscaler": Kind.UPSCALER,
    "Enhancement LoRA": Kind.LORA,
    "CLIPVision": Kind.IMAGE_ENCODER,
    "Vision Encoder": Kind.IMAGE_ENCODER,
}
"""What a file is that is not the model itself but stands beside it."""
_NO_MODELS = ("Training Data", "Config", "Archive", "Workflow")
_FORMATS = {"SafeTensor": "safetensors", "PickleTensor": "pickle", "GGUF": "gguf", "Diffusers": "diffusers"}
_ENDINGS = {".safetensors": "safetensors", ".sft": "safetensors", ".gguf": "gguf"}
_BY_FORMAT, _BY_PRECISION = ("safetensors", "gguf", "diffusers", "other", "pickle"), ("fp16", "", "bf16", "fp32", "fp8")
"""Best first."""
_DIGITS = {"sha256": 64, "autov1": 8, "autov2": 10, "autov3": 12, "blake3": 64}
_NOTHING = hashlib.sha256(b"").hexdigest()
_SCANS = {"Success": Scan.SAFE, "Pending": Scan.PENDING, "Danger": Scan.DANGER, "Error": Scan.DANGER}


def models_among(files: object, of_model: Kind | None) -> list[Mapping[str, Any]]:
    """Those that are models, best first: the model itself before its parts, safetensors, pruned, fp16."""
    held = [one for one in rows_in(files) if number_of(one.get("id")) and _is_model(one)]
    return sorted(held, key=lambda one: _order(one, of_model))


def kind_of(file: Mapping[str, Any], of_model: Kind | None) -> Kind | None:
    """What the file is for, in a model that is for `of_model`."""
    return _PARTS.get(name_in(file.get("type")), of_model)


def remote_file(file: Mapping[str, Any]) -> RemoteFile:
    """Its size is told in KiB and not exactly."""
    kib = number_in(file.get("sizeKB"))
    scan, said = _scanned(file)
    return RemoteFile(
        path=safe_name(name_in(file.get("name"))),
        key=str(file["id"]),
        about=round(kib * 1024) if kib and kib > 0 else None,
        digests=digests_of(file),
        scan=scan,
        scan_said=said,
    )


def digests_of(file: Mapping[str, Any]) -> Mapping[str, str]:
    """By algorithm; without those that stand for a file that the hub could not read, or read as empty."""
    told = {name.lower(): name_in(one).lower() for name, one in inner(file, "hashes").items() if isinstance(name, str)}
    return {name: told[name][:digits] for name, digits in _DIGITS.items() if _is_digest(told.get(name, ""), digits)}


def has_digest(file: Mapping[str, Any], digest: str) -> bool:
    """Whether any of the digests that the hub tells of it is this one."""
    told = [name_in(one).lower() for one in inner(file, "hashes").values()]
    return digest in told or digests_of(file).get("sha256", "").startswith(digest)


def format_of(file: Mapping[str, Any]) -> str:
    told = _FORMATS.get(name_in(inner(file, "metadata").get("format")))
    ending = _ending(file)
    return told or _ENDINGS.get(ending) or ("pickle" if ending in WEIGHT_SUFFIXES else "other")


def precision_of(file: Mapping[str, Any]) -> str:
    return name_in(inner(file, "metadata").get("fp")).lower()


def is_pruned(file: Mapping[str, Any]) -> bool | None:
    told = {"pruned": True, "full": False}.get(name_in(inner(file, "metadata").get("size")))
    return True if told is None and file.get("type") == "Pruned Model" else told


def _is_model(file: Mapping[str, Any]) -> bool:
    return name_in(file.get("type")) not in _NO_MODELS and _ending(file) in WEIGHT_SUFFIXES


def _ending(file: Mapping[str, Any]) -> str:
    return PurePosixPath(name_in(file.get("name"))).suffix.lower()


def _order(file: Mapping[str, Any], of_model: Kind | None) -> tuple[object, ...]:
    return (
        name_in(file.get("type")) in _PARTS and kind_of(file, of_model) is not of_model,
        _rank(_BY_FORMAT, format_of(file)),
        is_pruned(file) is False,
        _rank(_BY_PRECISION, precision_of(file)),
        file.get("primary") is not True,
        file["id"],
    )


def _rank(names: tuple[str, ...], name: str) -> int:
    return names.index(name) if name in names else len(names)


def _is_digest(value: str, digits: int) -> bool:
    is_hex = len(value) in (digits, 64) and not value.strip("0123456789abcdef")
    return is_hex and bool(value.strip("0")) and value != _NOTHING[: len(value)]


def _scanned(file: Mapping[str, Any]) -> tuple[Scan, str]:
    """The worse of both scans, and what was said of it."""
    found = [_SCANS.get(name_in(file.get(f"{one}ScanResult")), Scan.UNKNOWN) for one in ("pickle", "virus")]
    worst = next(one for one in (Scan.DANGER, Scan.PENDING, Scan.UNKNOWN, Scan.SAFE) if one in found)
    said = [name_in(file.get(f"{one}ScanMessage")) for one in ("pickle", "virus")]
    return worst, "; ".join(one for one in said if one)
