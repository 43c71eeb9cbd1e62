"""What each tool's note beside a model says: one reader a format, the fields checked, the rest passed over."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from modelhub.words.civitai import inner, name_in, note_in, read_version, rows_in, words_in
from modelhub.words.strangers import cleaned, number_in, parsed, texts_in

__all__ = ["MAX_FILE", "READERS", "Told"]

MAX_FILE = 1_000_000
"""Bytes."""
_MAX_TEXT = 4_000
"""Characters."""
_MAX_LIST = 100
_STRONGEST = 10.0


@dataclass(frozen=True, slots=True)
class Told:
    """One file's words, checked."""

    words: tuple[str, ...] = ()
    note: str = ""
    """By the owner."""
    about: str = ""
    """By the tool or the hub."""
    base: str = ""
    """What the model is based on, as hubs name it."""
    source: str | None = None
    said: Mapping[str, Any] = field(default_factory=dict)
    prediction_type: str | None = None
    weight: float | None = None


def _webui(text: str) -> Told | None:
    """``<stem>.json`` of stable-diffusion-webui, which keeps the owner's words."""
    held = _map(text)
    if held is None:
        return None
    return Told(
        words=words_in(held.get("activation text")),
        note=note_in(held.get("notes")),
        about=note_in(held.get("description")),
        base=name_in(held.get("sd version")),
        weight=_strength(held.get("preferred weight")),
    )


def _civitai(text: str) -> Told | None:
    """``<stem>.civitai.info``: a version as the hub's interface gives it."""
    held = _map(text)
    return None if held is None else _of_version(held)


def _lora_manager(text: str) -> Told | None:
    """``<stem>.metadata.json`` of ComfyUI-Lora-Manager: the owner's words around the hub's."""
    held = _map(text)
    if held is None:
        return None
    hub = _of_version(inner(held, "civitai"))
    tips = parsed(held.get("usage_tips"), MAX_FILE)
    return Told(
        words=hub.words,
        note=note_in(held.get("notes")),
        about=note_in(held.get("modelDescription")),
        base=name_in(held.get("base_model")) or hub.base,
        source=hub.source,
        said=hub.said,
        weight=_strength(tips.get("strength")) if isinstance(tips, dict) else None,
    )


def _stability_matrix(text: str) -> Told | None:
    """``<stem>.cm-info.json``, whose fields are the hub's in other letters."""
    held = _map(text)
    if held is None:
        return None
    return _of_version(
        {
            "modelId": held.get("ModelId"),
            "id": held.get("VersionId"),
            "name": held.get("VersionName"),
            "baseModel": held.get("BaseModel"),
            "trainedWords": held.get("TrainedWords"),
            "description": held.get("VersionDescription"),
            "creator": {"username": held.get("AuthorUsername")},
            "files": [{"name": held.get("RemoteFileName"), "hashes": held.get("Hashes"), "primary": True}],
            "model": {
                "name": held.get("ModelName"),
                "type": held.get("ModelType"),
                "description": held.get("ModelDescription"),
                "tags": held.get("Tags"),
                "nsfw": held.get("Nsfw"),
            },
        }
    )


def _hanakura(text: str) -> Told | None:
    """``<stem>.hanakura.json``."""
    held = _map(text)
    if held is None:
        return None
    return _of_version(
        {
            "modelId": held.get("model_id"),
            "id": held.get("version_id"),
            "name": held.get("version_name"),
            "baseModel": held.get("base_model"),
            "trainedWords": held.get("trained_words") or held.get("trigger_words"),
            "files": [{"hashes": {"SHA256": held.get("sha256")}, "primary": True}],
            "model": {"name": held.get("model_name"), "type": held.get("kind")},
        }
    )


def _ours(text: str) -> Told | None:
    """``<stem>.modelhub.json``, which a pull leaves: the hub's words as the catalog keeps them."""
    held = _map(text)
    if held is None:
        return None
    said = {name: one for name, value in inner(held, "said").items() if (one := _kept(value)) not in (None, "", [], {})}
    return Told(
        words=words_in(said.get("trained_words")),
        about=note_in(said.get("description")),
        base=name_in(said.get("base_model")),
        source=cleaned(held.get("ref"), _MAX_TEXT) or None,
        said=said,
    )


def _kept(value: object) -> Any:
    """What a hub may have said: a word, a number, several words, or a licence's answers."""
    if isinstance(value, bool | int | None):
        return value
    if isinstance(value, list):
        return list(texts_in(value, limit=_MAX_TEXT, count=_MAX_LIST))
    if isinstance(value, dict):
        return {str(name): _kept(one) for name, one in value.items() if isinstance(one, str | bool | list)}
    return cleaned(value, _MAX_TEXT)


def _config(text: str) -> Told:
    """``<stem>.yaml`` of stable-diffusion: only what the noise prediction is, found without a YAML reader."""
    stated = re.search(r"^[ \t]*parameterization:[ \t]*[\"']?(v|eps)\b", text, re.MULTILINE)
    return Told(prediction_type={"v": "v", "eps": "epsilon"}[stated[1]] if stated else None)


READERS: Mapping[str, Callable[[str], Told | None]] = {
    ".json": _webui,
    ".modelhub.json": _ours,
    ".metadata.json": _lora_manager,
    ".civitai.info": _civitai,
    ".cm-info.json": _stability_matrix,
    ".hanakura.json": _hanakura,
    ".yaml": _config,
}
"""Ending -> what reads it; the owner's own words first."""


def _of_version(held: Mapping[str, Any]) -> Told:
    """What Civitai's description of a version comes to."""
    told = read_version(held)
    file = next(iter(_primary(held.get("files"))), {})
    said = {
        "name": told.title,
        "version": told.name,
        "type": told.type,
        "base_model": told.base,
        "creator": told.creator,
        "published_at": told.published_at,
        "trained_words": list(told.words),
        "tags": list(told.tags),
        "description": told.description,
        "file": name_in(file.get("name")),
        "claimed_sha256": name_in(inner(file, "hashes").get("SHA256")).lower(),
        **told.flags,
    }
    return Told(
        words=told.words,
        about=told.description,
        base=told.base,
        source=f"civitai:{told.model}@{told.id}" if told.model and told.id else None,
        said={name: one for name, one in said.items() if one not in ("", [])},
    )


def _primary(files: object) -> Iterator[Mapping[str, Any]]:
    """The hub's main file first."""
    yield from sorted(rows_in(files), key=lambda one: one.get("primary") is not True)


def _map(text: str) -> Mapping[str, Any] | None:
    held = parsed(text, MAX_FILE)
    return held if isinstance(held, dict) else None


def _strength(value: object) -> float | None:
    """0 is how webui writes that there is none."""
    number = number_in(value)
    return number if number and 0 < number <= _STRONGEST else None
