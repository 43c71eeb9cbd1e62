"""Where other tools look for each kind of model, and what a file may be called on any system (pure)."""

import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import PurePosixPath

from modelhub.kinds import Facts, Kind

__all__ = ["LAYOUTS", "Links", "folder_for", "numbered", "portable_name"]


class Links(StrEnum):
    """How a file is shown in another folder."""

    SYMBOLIC = "symbolic"
    HARD = "hard"
    COPY = "copy"


LAYOUTS: Mapping[str, Mapping[Kind, str]] = {
    "a1111": {
        Kind.CHECKPOINT: "models/Stable-diffusion",
        Kind.UNET: "models/Stable-diffusion",
        Kind.VAE: "models/VAE",
        Kind.TEXT_ENCODER: "models/text_encoder",
        Kind.LORA: "models/Lora",
        Kind.EMBEDDING: "embeddings",
        Kind.HYPERNETWORK: "models/hypernetworks",
        Kind.CONTROLNET: "models/ControlNet",
        Kind.ADAPTER: "models/ControlNet",
        Kind.UPSCALER: "models/ESRGAN",
        Kind.FACE_RESTORER: "models/GFPGAN",
        Kind.IMAGE_ENCODER: "models/ControlNetPreprocessor",
    },
    "comfyui": {
        Kind.CHECKPOINT: "models/checkpoints",
        Kind.UNET: "models/diffusion_models",
        Kind.VAE: "models/vae",
        Kind.TEXT_ENCODER: "models/text_encoders",
        Kind.LORA: "models/loras",
        Kind.EMBEDDING: "models/embeddings",
        Kind.HYPERNETWORK: "models/hypernetworks",
        Kind.CONTROLNET: "models/controlnet",
        Kind.ADAPTER: "models/controlnet",
        Kind.UPSCALER: "models/upscale_models",
        Kind.FACE_RESTORER: "models/facerestore_models",
        Kind.IMAGE_ENCODER: "models/clip_vision",
    },
}
"""Tool (stable-diffusion-webui with Forge, ComfyUI) -> kind -> folder below its own."""

_BY_ALGORITHM: Mapping[str, Mapping[str, str]] = {
    "a1111": {
        "realesrgan": "models/RealESRGAN",
        "swinir": "models/SwinIR",
        "dat": "models/DAT",
        "codeformer": "models/Codeformer",
    },
    "comfyui": {"ip-adapter": "models/ipadapter"},
}
"""What one architecture of a kind has to itself."""
_MODEL_FOLDERS = {"comfyui": "models/diffusers"}
_READ_BY_US = (Kind.TAGGER, Kind.CAPTIONER, Kind.IMAGE_ENCODER)
"""Kinds whose folders no tool looks for."""
_MAX_BYTES = 200
"""Of a file's name: less than any file system's limit, so that a sidecar's ending fits."""
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)")


def folder_for(layout: str, facts: Facts, *, is_folder: bool) -> str | None:
    """Where the tool looks for such a model; None where it reads none."""
    if is_folder:
        return None if facts.kind in _READ_BY_US else _MODEL_FOLDERS.get(layout)
    algorithm = facts.algorithm or ""
    own = (place for name, place in _BY_ALGORITHM[layout].items() if algorithm.startswith(name))
    return next(own, None) or LAYOUTS[layout].get(facts.kind)


def portable_name(name: str) -> str:
    """The nearest name that Windows, macOS and Linux all take."""
    safe = re.sub(r'[<>:"/\\|?*\x00-\x1f\x7f]', "_", name).strip(" ").rstrip(". ") or "_"
    safe = f"_{safe}" if _RESERVED.match(safe) else safe
    stem, suffix = PurePosixPath(safe).stem, PurePosixPath(safe).suffix
    return _cut(stem, _MAX_BYTES - len(suffix.encode())) + suffix


def numbered(name: str, artifact_id: int) -> str:
    """The same name made one artifact's own."""
    path = PurePosixPath(name)
    return f"{path.stem}-{artifact_id}{path.suffix}"


def _cut(text: str, size: int) -> str:
    """As much of `text` as fits into so many bytes."""
    return text.encode("utf-8", "replace")[:size].decode("utf-8", "ignore")
