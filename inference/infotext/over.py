"""What an infotext says of further passes, pictures and models, as parts of a request (pure)."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from inference.infotext.words import CONTROL_MODES, CONTROL_RESIZES, RESIZES, SOFT

__all__ = ["Ref", "Told", "parts_of"]

Ref = Callable[[str, str], str | None]
"""(role, ``name [digest]``) -> a reference to the model, if it is here."""
Told = Mapping[str, str]

_DIGEST_OF_A_PICTURE = re.compile(r"[0-9a-f]{64}")
_BUILT_IN = ("Latent", "Lanczos", "Nearest", "None")
_MASKED = ("Mask mode", "Mask blur", "Inpaint area", "Masked content", "Mask image hash")
_SAME = "Use same"


def parts_of(told: Told, ref: Ref) -> Iterator[tuple[str, Any]]:
    """(field of a request, its parts as a map), for each that is told of."""
    if _second_pass(told):
        yield "hires", dict(_hires(told, ref))
    if _over_a_picture(told):
        yield "init", dict(_init(told, ref))
    if "Refiner" in told and (model := ref("model", told["Refiner"])):
        yield "refiner", dict(_refiner(told, model))
    if "Face restoration" in told and (model := ref("face restorer", told["Face restoration"])):
        yield "faces", {"model": model, **_numbers(told, {"visibility": "Face restoration visibility"})}
    if "Variation seed" in told:
        numbers = _numbers(told, {"strength": "Variation seed strength"})
        yield "variation", {"seed": int(told["Variation seed"]), "strength": 0.0, **numbers}
    if "Seed resize from-1" in told:
        yield "seed_resize", (int(told["Seed resize from-1"]), int(told["Seed resize from-2"]))
    if "SD upscale scale" in told:
        numbers = _numbers(told, {"scale": "SD upscale scale"})
        upscaler = _upscaler(told.get("SD upscale upscaler"), ref) or "Lanczos"
        yield "tiles", {**numbers, "overlap": int(told.get("SD upscale overlap", 64)), "upscaler": upscaler}
    if controls := list(_controls(told, ref)):
        yield "controls", controls


def _second_pass(told: Told) -> bool:
    return "Denoising strength" in told and any(
        key in told for key in ("Hires upscale", "Hires upscaler", "Hires resize-1", "First pass size-1")
    )


def _over_a_picture(told: Told) -> bool:
    return "Denoising strength" in told and ("Init image hash" in told or not _second_pass(told))


def _hires(told: Told, ref: Ref) -> Iterator[tuple[str, Any]]:
    denoise = told.get("Hires denoising strength", told["Denoising strength"])
    yield "denoise", float(denoise)
    yield from _hires_size(told)
    yield from _numbers(told, {"cfg": "Hires CFG Scale"}).items()
    if steps := int(told.get("Hires steps", 0)):
        yield "steps", steps
    if upscaler := _upscaler(_with_hash(told, "Hires upscaler"), ref):
        yield "upscaler", upscaler
    for key in ("sampler", "schedule type"):
        if (value := told.get(f"Hires {key}")) and not value.startswith(_SAME):
            yield key.partition(" ")[0], value
    if (model := told.get("Hires checkpoint")) and not model.startswith(_SAME):
        yield "model", ref("model", model)
    for field, key in (("prompt", "Hires prompt"), ("negative_prompt", "Hires negative prompt")):
        if key in told:
            yield field, told[key]


def _hires_size(told: Told) -> Iterator[tuple[str, Any]]:
    """The size that it comes to; pictures of webui before its version 1.0 say it the other way round."""
    prefix = "Size" if "First pass size-1" in told else "Hires resize"
    width, height = (int(told.get(f"{prefix}-{side}", 0)) for side in (1, 2))
    if width or height:
        yield "scale", None
        yield from ((name, value) for name, value in (("width", width), ("height", height)) if value)
    elif "Hires upscale" in told:
        yield "scale", float(told["Hires upscale"])


def _init(told: Told, ref: Ref) -> Iterator[tuple[str, Any]]:
    if _DIGEST_OF_A_PICTURE.fullmatch(told.get("Init image hash", "")):
        yield "image", told["Init image hash"]
    yield "denoise", float(told["Denoising strength"])
    yield from _numbers(told, {"noise_multiplier": "Noise multiplier", "extra_noise": "Extra noise"}).items()
    yield from _worded("resize", RESIZES, told.get("Resize mode"))
    if upscaler := _upscaler(told.get("Upscaler for img2img"), ref):
        yield "upscaler", upscaler
    yield "exact_steps", told.get("Fix steps") == "True"
    yield "colour_correction", told.get("Color correction") == "True"
    if "Background color" in told:
        yield "background", told["Background color"]
    if "Outpainting" in told:
        yield "outpaint", dict(part.split(": ", 1) for part in told["Outpainting"].split(", ") if ": " in part)
    if any(key in told for key in _MASKED):
        yield "mask", dict(_mask(told))


def _mask(told: Told) -> Iterator[tuple[str, Any]]:
    """webui leaves out a blur of 0."""
    if _DIGEST_OF_A_PICTURE.fullmatch(told.get("Mask image hash", "")):
        yield "image", told["Mask image hash"]
    blur = told.get("Mask blur", "0")
    yield "blur_x", int(float(blur))
    yield "blur_y", int(float(told.get("Mask blur y", blur)))
    yield "invert", told.get("Mask mode") == "Inpaint not masked"
    yield "only_masked", told.get("Inpaint area") == "Only masked"
    yield "padding", int(told.get("Masked area padding", 32))
    yield "content", told.get("Masked content", "original")
    yield "round", told.get("Mask round") != "False"
    yield from _numbers(told, {"conditioning": "Conditional mask weight"}).items()
    if told.get("Soft inpainting enabled") == "True":
        yield "soft", dict(_numbers(told, SOFT))


def _refiner(told: Told, model: str) -> Iterator[tuple[str, Any]]:
    yield "model", model
    yield from _numbers(told, {"switch_at": "Refiner switch at"}).items()
    if "Hires refiner" in told:
        yield "in_hires", told["Hires refiner"]


def _controls(told: Told, ref: Ref) -> Iterator[Mapping[str, Any]]:
    for key in sorted(one for one in told if re.fullmatch(r"ControlNet \d+", one)):
        parts = dict(part.split(": ", 1) for part in told[key].split(", ") if ": " in part)
        if model := ref("controlnet", parts.get("Model", "")):
            yield {"ref": model, **dict(_control(parts))}


def _control(parts: Told) -> Iterator[tuple[str, Any]]:
    if "Image" in parts:
        yield "image", parts["Image"]
    yield "preprocessor", parts.get("Module", "none")
    numbers = {"weight": "Weight", "start": "Guidance Start", "end": "Guidance End"}
    yield from _numbers(parts, numbers).items()
    options = [parts[key] for key in ("Threshold A", "Threshold B") if key in parts]
    options += [value for key, value in parts.items() if key.startswith("Option ")]
    yield "options", tuple(float(one) for one in options if float(one) >= 0)
    yield from _worded("mode", CONTROL_MODES, parts.get("Control Mode"))
    yield from _worded("resize", CONTROL_RESIZES, parts.get("Resize Mode"))


def _with_hash(told: Told, key: str) -> str | None:
    """A model whose hash stands by itself, as ``name [digest]``."""
    digest = told.get(f"{key} hash")
    return f"{told[key]} [{digest}]" if digest else told.get(key)


def _upscaler(title: str | None, ref: Ref) -> str | None:
    return title if title is None or title.startswith(_BUILT_IN) else ref("upscaler", title)


def _numbers(told: Told, keys: Mapping[str, str]) -> dict[str, float]:
    return {field: float(told[key]) for field, key in keys.items() if key in told}


def _worded(field: str, words: Mapping[str, str], said: str | None) -> Iterator[tuple[str, str]]:
    yield from ((field, ours) for ours, theirs in words.items() if theirs == said)
