"""The fields behind ``Tiling``, which webui's features add in turn; in its own words and order (pure).

What a request says and webui has no word for comes last of its group, in the same style.
"""

from collections.abc import Callable, Iterator, Mapping

from inference.infotext.words import CONTROL_MODES, CONTROL_RESIZES, DIGEST, RESIZES, SOFT, number, title
from inference.request import ControlUse, Faces, GenerationRequest, Hires, Init, Mask, Refiner, Soft

__all__ = ["extras"]

_Fields = Iterator[tuple[str, str]]


def extras(request: GenerationRequest, names: Mapping[str, str], spelled: Callable[[str], str]) -> _Fields:
    """`names` are the models' by their digests; `spelled` puts them into a prompt."""
    if request.hires:
        yield from _hires(request.hires, names, spelled)
    if request.init:
        yield from _init(request.init, names)
    if request.init and request.hires:
        yield "Hires denoising strength", number(request.hires.denoise)
    yield from _added_noise(request)
    yield from _levels(request)
    if request.refiner:
        yield from _refiner(request.refiner, names)
    yield from _texts(request)
    for index, use in enumerate(request.controls):
        yield from _control(index, use, names)
    if request.tiles:
        yield "SD upscale overlap", str(request.tiles.overlap)
        yield "SD upscale upscaler", title(names, request.tiles.upscaler)
        yield "SD upscale scale", number(request.tiles.scale)
    if request.faces and request.faces != Faces(model=request.faces.model):
        yield "Face restoration visibility", number(request.faces.visibility)


def _hires(hires: Hires, names: Mapping[str, str], spelled: Callable[[str], str]) -> _Fields:
    if hires.model:
        yield "Hires checkpoint", title(names, hires.model)
    if hires.sampler:
        yield "Hires sampler", hires.sampler
    if hires.prompt is not None:
        yield "Hires prompt", spelled(hires.prompt)
    if hires.negative_prompt is not None:
        yield "Hires negative prompt", hires.negative_prompt
    if hires.schedule:
        yield "Hires schedule type", hires.schedule
    if hires.width or hires.height:
        yield "Hires resize", f"{hires.width or 0}x{hires.height or 0}"
    else:
        yield "Hires upscale", number(hires.scale or 1.0)
    if hires.steps:
        yield "Hires steps", str(hires.steps)
    yield "Hires upscaler", names.get(hires.upscaler, hires.upscaler)
    if DIGEST.fullmatch(hires.upscaler):
        yield "Hires upscaler hash", hires.upscaler[:10]
    if hires.cfg is not None:
        yield "Hires CFG Scale", number(hires.cfg)


def _init(init: Init, names: Mapping[str, str]) -> _Fields:
    if init.mask:
        yield from _mask(init.mask)
    if init.noise_multiplier != 1.0:
        yield "Noise multiplier", number(init.noise_multiplier)
    if init.extra_noise:
        yield "Extra noise", number(init.extra_noise)
    if init.resize != "stretch":
        yield "Resize mode", RESIZES[init.resize]
    if init.upscaler:
        yield "Upscaler for img2img", title(names, init.upscaler)
    if init.exact_steps:
        yield "Fix steps", "True"
    if init.colour_correction:
        yield "Color correction", "True"
    if init.background != "#ffffff":
        yield "Background color", init.background
    if init.outpaint:
        said = {name: value for name, value in init.outpaint if value is not None}
        yield "Outpainting", ", ".join(f"{name}: {value}" for name, value in said.items())


def _mask(mask: Mask) -> _Fields:
    if mask.invert:
        yield "Mask mode", "Inpaint not masked"
    yield "Mask blur", str(mask.blur_x)
    if mask.blur_y != mask.blur_x:
        yield "Mask blur y", str(mask.blur_y)
    if mask.only_masked:
        yield "Inpaint area", "Only masked"
        yield "Masked area padding", str(mask.padding)
    if mask.content != "original":
        yield "Masked content", mask.content
    if mask.soft:
        yield from _soft(mask.soft)
    if not mask.round:
        yield "Mask round", "False"
    yield "Mask image hash", mask.image or "alpha"


def _soft(soft: Soft) -> _Fields:
    yield "Soft inpainting enabled", "True"
    yield from ((key, number(getattr(soft, field))) for field, key in SOFT.items())


def _added_noise(request: GenerationRequest) -> _Fields:
    """What differs from webui's defaults."""
    if request.eta is not None:
        yield "Eta DDIM" if request.sampler.startswith("DDIM") else "Eta", number(request.eta)
    said = {"churn": request.s_churn, "tmin": request.s_tmin, "tmax": request.s_tmax}
    yield from ((f"Sigma {key}", number(value)) for key, value in said.items() if value)
    if request.s_noise != 1.0:
        yield "Sigma noise", number(request.s_noise)


def _levels(request: GenerationRequest) -> _Fields:
    if request.discard_next_to_last:
        yield "Discard penultimate sigma", "True"
    said = {"max sigma": request.sigma_max, "min sigma": request.sigma_min, "rho": request.rho}
    yield from ((f"Schedule {key}", number(value)) for key, value in said.items() if value is not None)
    if request.shift is not None:
        yield "Shift", number(request.shift)
    if request.min_uncond:
        yield "NGMS", number(request.min_uncond)


def _refiner(refiner: Refiner, names: Mapping[str, str]) -> _Fields:
    if refiner.in_hires != "second pass":
        yield "Hires refiner", refiner.in_hires
    yield "Refiner", title(names, refiner.model)
    yield "Refiner switch at", number(refiner.switch_at)


def _texts(request: GenerationRequest) -> _Fields:
    if request.emphasis != "Original" and any(mark in request.prompt + request.negative_prompt for mark in "(["):
        yield "Emphasis", request.emphasis
    if request.pad != "none":
        yield "Pad conds" if request.pad == "empty" else "Pad conds v0", "True"
    if request.comma_backtrack != 20:
        yield "Comma padding backtrack", str(request.comma_backtrack)


def _control(index: int, use: ControlUse, names: Mapping[str, str]) -> _Fields:
    """One value that holds them all, as the extension's `Module: canny, Model: ...`."""
    parts = {
        "Module": use.preprocessor,
        "Model": title(names, use.ref),
        "Weight": number(use.weight),
        "Resize Mode": CONTROL_RESIZES[use.resize],
        **_thresholds(use.options),
        "Guidance Start": number(use.start),
        "Guidance End": number(use.end),
        "Pixel Perfect": "False",
        "Control Mode": CONTROL_MODES[use.mode],
        "Image": use.image,
    }
    yield f"ControlNet {index}", ", ".join(f"{key}: {value}" for key, value in parts.items())


def _thresholds(options: tuple[float, ...]) -> Mapping[str, str]:
    """The first two by the extension's names; it has no more."""
    names = ("Threshold A", "Threshold B", *(f"Option {index}" for index in range(3, len(options) + 1)))
    return {name: number(value) for name, value in zip(names, options, strict=False)}
