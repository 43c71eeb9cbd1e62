"""Prompts from a file, one a line; a line with ``--`` changes more of the request (webui's script)."""

import shlex
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from inference.request import GenerationRequest, Variation
from modelhub.errors import BadValue, MissingFile

__all__ = ["read_prompts"]

_Say = Callable[[str], dict[str, Any]]


def _field(name: str, kind: Callable[[str], Any] = str) -> _Say:
    return lambda text: {name: kind(text)}


_WORDS: Mapping[str, _Say] = {
    "prompt": _field("prompt"),
    "negative_prompt": _field("negative_prompt"),
    "sd_model": _field("model"),
    "seed": _field("seed", int),
    "subseed": _field("variation_seed", int),
    "subseed_strength": _field("variation_strength", float),
    "steps": _field("steps", int),
    "cfg_scale": _field("cfg", float),
    "width": _field("width", int),
    "height": _field("height", int),
    "sampler_name": _field("sampler"),
    "batch_size": _field("batch", int),
    "n_iter": _field("count", int),
    "tiling": lambda text: {"tiling": text.lower() in ("true", "1", "yes")},
}
_SWITCHES = ("tiling",)
"""May stand without a value."""


def read_prompts(path: Path, request: GenerationRequest) -> tuple[GenerationRequest, ...]:
    """The request with each line's changes; raises `MissingFile`, or `BadValue` naming the line."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError:
        raise MissingFile(f"{path}: there is no such file") from None
    except UnicodeDecodeError as error:
        raise BadValue(f"{path} is no text in UTF-8", mend="save it as UTF-8") from error
    found = [_changed(path, number, line, request) for number, line in enumerate(lines, start=1) if _says(line)]
    if not found:
        raise BadValue(f"{path} holds no prompts")
    return tuple(found)


def _says(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _changed(path: Path, number: int, line: str, request: GenerationRequest) -> GenerationRequest:
    try:
        changes: dict[str, Any] = dict(_changes(line)) if line.lstrip().startswith("--") else {"prompt": line.strip()}
        strength, seed = changes.pop("variation_strength", 0.0), changes.pop("variation_seed", -1)
        if strength:
            changes["variation"] = Variation(seed=seed, strength=strength)
        return GenerationRequest.model_validate({**request.model_dump(), **changes})
    except (ValueError, ValidationError) as error:
        said = error.errors()[0]["msg"].lower() if isinstance(error, ValidationError) else str(error)
        raise BadValue(f"line {number} of {path}: {said}", mend="write a prompt, or --prompt ... --steps 20") from error


def _changes(line: str) -> Iterator[tuple[str, Any]]:
    """What the words of one line say; raises `ValueError`."""
    words = shlex.split(line)
    while words:
        name = words.pop(0).removeprefix("--").replace("-", "_")
        if name not in _WORDS:
            raise ValueError(f"--{name} is not known ({', '.join(_WORDS)})")
        bare = name in _SWITCHES and (not words or words[0].startswith("--"))
        if not bare and not words:
            raise ValueError(f"--{name} says nothing")
        yield from _WORDS[name]("true" if bare else words.pop(0)).items()
