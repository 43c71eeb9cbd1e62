"""stable-diffusion-webui's words for what a request calls otherwise, and how it spells values (pure)."""

import json
import re
from collections.abc import Mapping

__all__ = [
    "CONTROL_MODES",
    "CONTROL_RESIZES",
    "DIGEST",
    "NOISES",
    "RESIZES",
    "SOFT",
    "number",
    "quoted",
    "title",
    "unquoted",
]

RESIZES: Mapping[str, str] = {
    "stretch": "Just resize",
    "crop": "Crop and resize",
    "fill": "Resize and fill",
    "latent": "Just resize (latent upscale)",
}
CONTROL_RESIZES: Mapping[str, str] = {
    "stretch": "Just Resize",
    "crop": "Crop and Resize",
    "fill": "Resize and Fill",
}
CONTROL_MODES: Mapping[str, str] = {
    "balanced": "Balanced",
    "prompt": "My prompt is more important",
    "control": "ControlNet is more important",
}
SOFT: Mapping[str, str] = {
    "schedule_bias": "Soft inpainting schedule bias",
    "preservation": "Soft inpainting preservation strength",
    "contrast_boost": "Soft inpainting transition contrast boost",
    "mask_influence": "Soft inpainting mask influence",
    "difference_threshold": "Soft inpainting difference threshold",
    "difference_contrast": "Soft inpainting difference contrast",
}
NOISES: Mapping[str, str] = {"GPU": "NV", "NV": "NV", "CPU": "CPU"}
"""webui's generators -> ours; a card's own noise is what NV draws anywhere."""

DIGEST = re.compile(r"[0-9a-f]{64}")


def number(value: float) -> str:
    """The shortest text that reads as the same number: ``7`` for 7.0."""
    short = f"{value:g}"
    return short if float(short) == value else repr(value)


def title(names: Mapping[str, str], digest: str) -> str:
    """A model in one value, as webui writes it: ``name [first ten digits]``; what has no digest as it is."""
    return f"{names.get(digest, digest[:10])} [{digest[:10]}]" if DIGEST.fullmatch(digest) else digest


def quoted(value: str) -> str:
    """As a field's value: JSON where the value is empty, or holds what ends or splits one."""
    return json.dumps(value, ensure_ascii=False) if not value or any(mark in value for mark in ",:\n") else value


def unquoted(value: str) -> str:
    """What `quoted` was given; what is no JSON stays as it is."""
    if len(value) < 2 or not (value.startswith('"') and value.endswith('"')):
        return value
    try:
        return str(json.loads(value))
    except ValueError:
        return value
