"""What each tool's note beside a model says: one reader a format, the fields checked, the rest passed over."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from modelhub.words.strangers import cleaned, distinct, number_in, parsed, texts_in, unmarked

__all__ = ["MAX_FILE", "READERS", "Told"]

MAX_FILE = 1_000_000
"""Bytes."""
_MAX_NAME = 200
_MAX_WORDS = 1_000
"""Characters of one statement of trigger words."""
_MAX_NOTE = 4_000
_MAX_LIST = 100
_STRONGEST = 10.0
_CALL = re.compile(r"<\w+:[^<>]*>")


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
        words=_words(held.get("activation text")),
        note=_note(held.get("notes")),
        about=_note(held.get("description")),
        base=_name(held.get("sd version")),
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
    hub = _of_version(_inner(held, "civitai"))
    tips = parsed(held.get("usage_tips"), MAX_FILE)
    return Told(
        words=hub.words,
        note=_note(held.get("notes")),
        about=_note(held.get("modelDescription")),
        base=_name(held.get("base_model")) or hub.base,
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


def _config(text: str) -> Told:
    """``<stem>.yaml`` of stable-diffusion: only what the noise prediction is, found without a YAML reader."""
    stated = re.search(r"^[ \t]*parameterization:[ \t]*[\"']?(v|eps)\b", text, re.MULTILINE)
    return Told(prediction_type={"v": "v", "eps": "epsilon"}[stated[1]] if stated else None)


READERS: Mapping[str, Callable[[str], Told | None]] = {
    ".json": _webui,
    ".metadata.json": _lora_manager,
    ".civitai.info": _civitai,
    ".cm-info.json": _stability_matrix,
    ".hanakura.json": _hanakura,
    ".yaml": _config,
}
"""Ending -> what reads it; the owner's own words first."""


def _of_version(held: Mapping[str, Any]) -> Told:
    """What Civitai's description of a version comes to; https://developer.civitai.com/docs/api/public-rest."""
    model, version_id, model_id = _inner(held, "model"), _id(held.get("id")), _id(held.get("modelId"))
    words = _words(held.get("trainedWords"))
    about = _note(model.get("description")) or _note(held.get("description"))
    file = next(iter(_primary(held.get("files"))), {})
    said = {
        "name": _name(model.get("name")),
        "version": _name(held.get("name")),
        "type": _name(model.get("type")),
        "base_model": _name(held.get("baseModel")),
        "creator": _name(_inner(held, "creator").get("username")) or _name(_inner(model, "creator").get("username")),
        "published_at": _name(held.get("publishedAt")),
        "trained_words": list(words),
        "tags": list(texts_in(model.get("tags"), limit=_MAX_NAME, count=_MAX_LIST)),
        "description": about,
        "file": _name(file.get("name")),
        "claimed_sha256": _name(_inner(file, "hashes").get("SHA256")).lower(),
        **{_NAMED[key]: model[key] for key in _NAMED if isinstance(model.get(key), bool)},
    }
    return Told(
        words=words,
        about=about,
        base=_name(held.get("baseModel")),
        source=f"civitai:{model_id}@{version_id}" if model_id and version_id else None,
        said={name: one for name, one in said.items() if one not in ("", [])},
    )


_NAMED = {
    "nsfw": "nsfw",
    "allowNoCredit": "allow_no_credit",
    "allowDerivatives": "allow_derivatives",
    "allowDifferentLicense": "allow_different_license",
}


def _primary(files: object) -> Iterator[Mapping[str, Any]]:
    """The hub's main file first."""
    rows = [one for one in files[:_MAX_LIST] if isinstance(one, dict)] if isinstance(files, list) else []
    yield from sorted(rows, key=lambda one: one.get("primary") is not True)


def _map(text: str) -> Mapping[str, Any] | None:
    held = parsed(text, MAX_FILE)
    return held if isinstance(held, dict) else None


def _inner(held: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    inner = held.get(name)
    return inner if isinstance(inner, dict) else {}


def _name(value: object) -> str:
    return " ".join(cleaned(value, _MAX_NAME).split())


def _words(value: object) -> tuple[str, ...]:
    """Trigger words, without the ``<lora:...>`` that some prompts carry along."""
    return distinct(_CALL.sub("", one) for one in texts_in(value, limit=_MAX_WORDS, count=_MAX_LIST))


def _note(value: object) -> str:
    return cleaned(unmarked(value), _MAX_NOTE) if isinstance(value, str) else ""


def _id(value: object) -> int | None:
    return value if type(value) is int and 0 < value < 2**63 else None


def _strength(value: object) -> float | None:
    """0 is how webui writes that there is none."""
    number = number_in(value)
    return number if number and 0 < number <= _STRONGEST else None
