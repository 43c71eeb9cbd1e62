"""What other tools wrote beside a model file: their notes, trigger words, previews. Nothing of it is proven.

A digest in a sidecar is somebody's word: it is told as such, and never becomes a digest of ours.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from modelhub.headers import WEIGHT_SUFFIXES
from modelhub.words.civitai import base_family
from modelhub.words.sidecars._notes import MAX_FILE, READERS, Told
from modelhub.words.strangers import distinct

__all__ = ["Sidecar", "by_stem", "read_sidecars", "sidecar_names", "sidecar_stamp"]

_PICTURES = ("png", "jpg", "jpeg", "webp", "gif", "mp4")
_PREVIEWS = (*(f".preview.{ending}" for ending in _PICTURES), *(f".{ending}" for ending in _PICTURES))
_ENDINGS = (*READERS, *_PREVIEWS)


@dataclass(frozen=True, slots=True)
class Sidecar:
    """All that stands beside one model file."""

    trigger_words: tuple[str, ...] = ()
    """Each as its author wrote it: a word, or several with commas."""
    preview: Path | None = None
    note: str = ""
    """The owner's own words in another tool, else what that tool says of the model."""
    sources: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Hub address, e.g. ``civitai:123@456`` -> what was said of the model there."""
    family: str | None = None
    prediction_type: str | None = None
    """``v`` or ``epsilon``, from a stable-diffusion config."""
    weight: float | None = None
    """How strongly it is best used."""
    stamp: str = ""
    """Changes when any of the files comes, goes or changes; empty when there is none."""
    problems: tuple[str, ...] = ()
    """Files that could not be read, and why."""


def read_sidecars(path: Path, siblings: Collection[str] | None = None) -> Sidecar:
    """What the files beside the model at `path` say; `siblings` are the names in its folder, if they are known."""
    present = _present(path, siblings)
    stamp = sidecar_stamp(path, present)
    told: list[Told] = []
    problems: list[str] = []
    for ending, read in READERS.items():
        if (at := path.with_name(_stem(path) + ending)).name in present:
            text, problem = _text(at)
            if problem is None and (one := read(text)):
                told.append(one)
            else:
                problems.append(f"{at.name}: {problem or 'it is no map in JSON'}")
    preview = next((name for ending in _PREVIEWS if (name := _stem(path) + ending) in present), None)
    return Sidecar(
        trigger_words=distinct(word for one in told for word in one.words),
        preview=path.with_name(preview) if preview else None,
        note=next((one.note for one in told if one.note), "") or next((one.about for one in told if one.about), ""),
        sources=_joined(told),
        family=next((found for one in told if (found := base_family(one.base))), None),
        prediction_type=next((one.prediction_type for one in told if one.prediction_type), None),
        weight=next((one.weight for one in told if one.weight), None),
        stamp=stamp,
        problems=tuple(problems),
    )


def sidecar_names(path: Path) -> tuple[str, ...]:
    """The names of all files that would be read beside `path`."""
    return tuple(_stem(path) + ending for ending in _ENDINGS)


def sidecar_stamp(path: Path, siblings: Collection[str] | None = None) -> str:
    """`Sidecar.stamp` without reading anything: costs nothing for a model that has no sidecars."""
    stats = []
    for name in _present(path, siblings):
        try:
            there = path.with_name(name).stat()
        except OSError:
            continue
        stats.append(f"{name[len(_stem(path)) :]} {there.st_size} {there.st_mtime_ns}")
    return "; ".join(stats)


def by_stem(names: Iterable[str]) -> dict[str, list[str]]:
    """The sidecars among a folder's names, by the stem that they belong to: made once, it spares asking each model."""
    found: dict[str, list[str]] = {}
    for name in names:
        if name.endswith(_ENDINGS):
            for ending in _ENDINGS:
                if name.endswith(ending):
                    found.setdefault(name[: -len(ending)], []).append(name)
    return found


def _present(path: Path, siblings: Collection[str] | None) -> list[str]:
    names = sidecar_names(path)
    if siblings is None:
        return [name for name in names if path.with_name(name).is_file()]
    return [name for name in names if name in siblings]


def _stem(path: Path) -> str:
    """Of a file its name without the ending; a model folder may have dots in its name."""
    return path.stem if path.suffix.lower() in WEIGHT_SUFFIXES else path.name


def _text(path: Path) -> tuple[str, str | None]:
    """The text of a file, or why there is none."""
    if not path.is_file():
        return "", "it is no file"
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE + 1)
    except OSError as error:
        return "", f"it cannot be read ({error.strerror})"
    if len(content) > MAX_FILE:
        return "", f"it has more than {MAX_FILE:,} bytes"
    return content.decode("utf-8-sig", errors="replace"), None


def _joined(told: Iterable[Told]) -> dict[str, Mapping[str, Any]]:
    """One account of each source; what an earlier file said stays."""
    found: dict[str, Mapping[str, Any]] = {}
    for one in told:
        if one.source:
            found[one.source] = {**one.said, **found.get(one.source, {})}
    return found
