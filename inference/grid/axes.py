"""What an axis can vary, under the names of webui's X/Y/Z plot."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from inference.grid.values import floats, integers, orders, texts
from inference.request import GenerationRequest, Hires, Refiner, Variation
from modelhub.errors import BadValue

__all__ = ["AXES", "Axis", "axis"]

_Change = Callable[[GenerationRequest, Any, Sequence[Any]], GenerationRequest]
"""(request, value, all values of the axis) -> the request with that value."""


@dataclass(frozen=True, slots=True)
class Axis:
    """One thing that can vary."""

    name: str
    values: Callable[[str], Sequence[Any]]
    """What is written -> values."""
    change: _Change
    cost: float = 0.0
    """How dear a change is: axes that load models change least often."""

    def label(self, value: Any) -> str:
        """What stands beside a row or above a column."""
        if isinstance(value, tuple):
            return ", ".join(map(str, value))
        shown = f"{value:g}" if isinstance(value, float) else str(value)
        return shown if self.values in (texts, orders) else f"{self.name}: {shown}"


def axis(name: str) -> Axis:
    """The axis of that name, in any letters; raises `BadValue` naming near ones."""
    wanted = name.strip().lower().replace("_", " ")
    for known in AXES:
        if known.name.lower() == wanted:
            return known
    near = get_close_matches(wanted, [one.name.lower() for one in AXES], n=3, cutoff=0.4)
    names = [one.name for one in AXES if one.name.lower() in near] or [one.name for one in AXES]
    raise BadValue(f"{name!r} is no axis of a grid ({', '.join(names)})", mend='write --grid "Steps=10,20,30"')


def _field(field: str) -> _Change:
    return lambda request, value, _: request.model_copy(update={field: value})


def _within(part: str, field: str, missing: Callable[[Any], Any] | None = None) -> _Change:
    """A field of one of the request's parts; where that is not asked for, `missing` makes it of the value."""

    def change(request: GenerationRequest, value: Any, _: Sequence[Any]) -> GenerationRequest:
        there = getattr(request, part)
        if there is None and missing is None:
            raise BadValue(f"this grid varies what was not asked for: {part}", mend=_ASKED[part])
        changed = there.model_copy(update={field: value}) if there else missing(value) if missing else None
        return request.model_copy(update={part: changed})

    return change


_ASKED = {"init": "give a picture: --init FILE", "hires": "ask for a second pass: --hires 2x"}


def _replace_text(request: GenerationRequest, value: str, values: Sequence[str]) -> GenerationRequest:
    """webui's Prompt S/R: the first value is what the prompt says."""
    searched = values[0]
    if searched not in request.prompt and searched not in request.negative_prompt:
        raise BadValue(f"neither prompt holds {searched!r}", mend="let the first value be words of the prompt")
    return request.model_copy(
        update={
            "prompt": request.prompt.replace(searched, value),
            "negative_prompt": request.negative_prompt.replace(searched, value),
        }
    )


def _reorder(request: GenerationRequest, value: tuple[str, ...], _: Sequence[Any]) -> GenerationRequest:
    """The words change places among themselves."""
    places = sorted((request.prompt.find(word), word) for word in value)
    if places[0][0] < 0:
        raise BadValue(f"the prompt does not hold {places[0][1]!r}", mend="name words of the prompt")
    parts, end = [], 0
    for (start, there), word in zip(places, value, strict=True):
        parts += [request.prompt[end:start], word]
        end = start + len(there)
    return request.model_copy(update={"prompt": "".join(parts) + request.prompt[end:]})


def _resize(request: GenerationRequest, value: str, _: Sequence[Any]) -> GenerationRequest:
    width, _, height = value.lower().replace("×", "x").partition("x")
    if not (width.strip().isdecimal() and height.strip().isdecimal()):
        raise BadValue(f"{value!r} is no size", mend="write 512x768")
    return request.model_copy(update={"width": int(width), "height": int(height)})


def _truths(said: str) -> list[bool]:
    words = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
    try:
        return [words[one.lower()] for one in texts(said)]
    except KeyError as error:
        raise BadValue(f"{error.args[0]!r} is neither true nor false") from error


AXES: Sequence[Axis] = (
    Axis("Seed", integers, _field("seed")),
    Axis("Var. seed", integers, _within("variation", "seed", lambda seed: Variation(seed=seed, strength=0.5))),
    Axis("Var. strength", floats, _within("variation", "strength", lambda share: Variation(strength=share))),
    Axis("Steps", integers, _field("steps")),
    Axis("Hires steps", integers, _within("hires", "steps")),
    Axis("CFG Scale", floats, _field("cfg")),
    Axis("Image CFG Scale", floats, _field("image_cfg")),
    Axis("Prompt S/R", texts, _replace_text),
    Axis("Prompt order", orders, _reorder),
    Axis("Sampler", texts, _field("sampler")),
    Axis("Schedule type", texts, _field("schedule")),
    Axis("Hires sampler", texts, _within("hires", "sampler")),
    Axis("Checkpoint name", texts, _field("model"), cost=1.0),
    Axis("Negative Guidance minimum sigma", floats, _field("min_uncond")),
    Axis("Sigma Churn", floats, _field("s_churn")),
    Axis("Sigma min", floats, _field("s_tmin")),
    Axis("Sigma max", floats, _field("s_tmax")),
    Axis("Sigma noise", floats, _field("s_noise")),
    Axis("Schedule min sigma", floats, _field("sigma_min")),
    Axis("Schedule max sigma", floats, _field("sigma_max")),
    Axis("Schedule rho", floats, _field("rho")),
    Axis("Eta", floats, _field("eta")),
    Axis("Clip skip", integers, _field("clip_skip")),
    Axis("Denoising", floats, _within("init", "denoise")),
    Axis("Hires denoising", floats, _within("hires", "denoise")),
    Axis("Hires upscaler", texts, _within("hires", "upscaler")),
    Axis("Hires scale", floats, _within("hires", "scale", lambda scale: Hires(scale=scale))),
    Axis("Initial noise multiplier", floats, _within("init", "noise_multiplier")),
    Axis("Extra noise", floats, _within("init", "extra_noise")),
    Axis("VAE", texts, _field("vae"), cost=0.7),
    Axis("Refiner checkpoint", texts, _within("refiner", "model", lambda model: Refiner(model=model)), cost=0.9),
    Axis("Refiner switch at", floats, _within("refiner", "switch_at")),
    Axis("RNG source", texts, _field("noise")),
    Axis("Size", texts, _resize),
    Axis("Tiling", _truths, _field("tiling")),
    Axis("Always discard next-to-last sigma", _truths, _field("discard_next_to_last")),
)
"""In webui's order."""
