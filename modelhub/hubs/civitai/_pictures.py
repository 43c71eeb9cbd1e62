"""The pictures that show what a model does, and the prompts that drew them (pure)."""

from collections.abc import Iterator, Mapping
from typing import Any

from modelhub.hubs._listing import Preview
from modelhub.words.civitai import inner, name_in, number_of, rows_in
from modelhub.words.strangers import cleaned

__all__ = ["examples", "previews"]

_LEVELS = {"None": 1, "Soft": 2, "Mature": 4, "X": 8, "Blocked": 32}
"""How some answers spell the bits that tell whom a picture is for."""
_FOR_ALL = (1, 2)
"""PG and PG-13."""
_MAX_EXAMPLES = 3
_MAX_PROMPT = 150
"""Characters."""
_MAX_READ = 2_000
"""Characters of a prompt that are looked at: some begin with many line breaks."""
_MAX_SAMPLER = 40
_MAX_SEED = 2**64


def previews(images: object) -> Iterator[Preview]:
    """Those that have an address."""
    for image in rows_in(images):
        url = image.get("url")
        if isinstance(url, str) and url.startswith(("https://", "http://")) and url.isprintable() and " " not in url:
            is_film = image.get("type") == "video" or url.lower().endswith((".mp4", ".webm"))
            yield Preview(url, number_of(image.get("width")), number_of(image.get("height")), _level(image), is_film)


def examples(images: object) -> tuple[str, ...]:
    """A few different prompts, each with how it was drawn; only of pictures that are known to be for everybody."""
    found: dict[str, str] = {}
    for image in rows_in(images):
        told = _told(image) if _level(image) in _FOR_ALL else {}
        if prompt := _prompt(told):
            found.setdefault(prompt, ", ".join(_settings(told)))
    return tuple(f"{prompt}  ({how})" if how else prompt for prompt, how in list(found.items())[:_MAX_EXAMPLES])


def _level(image: Mapping[str, Any]) -> int:
    """The strictest of what is told; 0 where nothing is. One answer's number is another's name."""
    return max(_bits(image.get(name)) for name in ("browsingLevel", "nsfwLevel", "nsfw"))


def _bits(level: object) -> int:
    return _LEVELS.get(level, 0) if isinstance(level, str) else number_of(level) or 0


def _told(image: Mapping[str, Any]) -> Mapping[str, Any]:
    """How it was drawn, which some answers wrap once more."""
    meta = inner(image, "meta")
    return inner(meta, "meta") or meta


def _prompt(told: Mapping[str, Any]) -> str:
    line = " ".join(cleaned(told.get("prompt"), _MAX_READ).split())
    return line if len(line) <= _MAX_PROMPT else f"{line[: _MAX_PROMPT - 1].rstrip(' ,')}…"


def _settings(told: Mapping[str, Any]) -> Iterator[str]:
    if seed := _whole(told.get("seed")):
        yield f"seed {seed}"
    if steps := _whole(told.get("steps")):
        yield f"{steps} steps"
    if sampler := name_in(told.get("sampler"))[:_MAX_SAMPLER].rstrip():
        yield sampler


def _whole(value: object) -> str:
    """A number to its last digit, of which seeds have more than a float holds; empty for what is none."""
    text = str(value) if type(value) is int and 0 <= value < _MAX_SEED else name_in(value)
    return text if text.isascii() and text.isdigit() and len(text) <= len(str(_MAX_SEED)) else ""
