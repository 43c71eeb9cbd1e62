"""Where a request says what a flag says, flag by flag; those that are not here are called as the request's field is."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

__all__ = ["ANCHORS", "Place", "flag_at", "places_of"]

Place: TypeAlias = tuple[str, ...]
"""A field of a request, and of its parts."""

_HIRES = ("upscaler", "denoise", "steps", "cfg", "sampler", "schedule", "model", "prompt")
"""Fields of a second pass whose flags have ``hires_`` before them."""
ANCHORS: Mapping[str, Place] = {
    "init": ("init", "image"),
    "mask": ("init", "mask", "image"),
    "faces": ("faces", "model"),
    "refiner": ("refiner", "model"),
    "hires": ("hires", "scale"),
    "sd_upscale": ("tiles", "scale"),
}
"""Flags without which their group's others mean nothing -> where a request says the same."""
_PLACES: Mapping[str, tuple[Place, ...]] = {
    **{flag: (path,) for flag, path in ANCHORS.items()},
    "negative": (("negative_prompt",),),
    "size": (("width",), ("height",)),
    "lora": (("loras",),),
    "text_encoder": (("text_encoders",),),
    "control": (("controls",),),
    "denoise": (("init", "denoise"),),
    "resize_mode": (("init", "resize"),),
    "noise_multiplier": (("init", "noise_multiplier"),),
    "extra_noise": (("init", "extra_noise"),),
    "exact_steps": (("init", "exact_steps"),),
    "colour_correction": (("init", "colour_correction"),),
    "background": (("init", "background"),),
    "init_upscaler": (("init", "upscaler"),),
    "outpaint": (("init", "outpaint"),),
    "outpaint_method": (("init", "outpaint", "method"),),
    "mask_invert": (("init", "mask", "invert"),),
    "mask_blur": (("init", "mask", "blur_x"), ("init", "mask", "blur_y")),
    "mask_round": (("init", "mask", "round"),),
    "masked_content": (("init", "mask", "content"),),
    "only_masked": (("init", "mask", "only_masked"),),
    "mask_padding": (("init", "mask", "padding"),),
    "mask_conditioning": (("init", "mask", "conditioning"),),
    "soft": (("init", "mask", "soft"),),
    "faces_visibility": (("faces", "visibility"),),
    "hires": (("hires", "scale"), ("hires", "width"), ("hires", "height")),
    **{f"hires_{name}": (("hires", name),) for name in _HIRES},
    "hires_negative": (("hires", "negative_prompt"),),
    "tile_overlap": (("tiles", "overlap"),),
    "upscaler": (("tiles", "upscaler"),),
    "refiner_switch": (("refiner", "switch_at"),),
    "refiner_pass": (("refiner", "in_hires"),),
}
"""What a flag decides, where it is not called as a request's field is."""


def places_of(flag: str) -> tuple[Place, ...]:
    """All that a flag decides."""
    return _PLACES.get(flag, ((flag,),))


def flag_at(place: Sequence[str]) -> str:
    """The flag that decides it, as it is typed."""
    found = (flag for flag, places in _PLACES.items() if tuple(place) in places)
    return "--" + next(found, "-".join(place)).replace("_", "-")
