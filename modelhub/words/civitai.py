"""What Civitai says of one version of a model, checked field by field.

Any of them may be missing or of another type than it was: https://developer.civitai.com/docs/api/public-rest.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from modelhub.families import known
from modelhub.words.strangers import cleaned, distinct, texts_in, unmarked

__all__ = [
    "LARGEST",
    "Version",
    "base_family",
    "inner",
    "name_in",
    "note_in",
    "number_of",
    "read_version",
    "rows_in",
    "words_in",
]

LARGEST = 2**31 - 1
"""Of all numbers that it gives."""
_MAX_NAME = 200
_MAX_WORDS = 1_000
"""Characters of one statement of trigger words."""
_MAX_NOTE = 4_000
_MAX_LIST = 100
_CALL = re.compile(r"<\w+:[^<>]*>")
_FLAGS = {
    "nsfw": "nsfw",
    "allowNoCredit": "allow_no_credit",
    "allowDerivatives": "allow_derivatives",
    "allowDifferentLicense": "allow_different_license",
}
"""The hub's name -> ours."""


@dataclass(frozen=True, slots=True)
class Version:
    """One version with its model, as far as they are told; empty is not told."""

    model: int | None
    """The model's number."""
    id: int | None
    title: str
    """Of the model."""
    name: str
    type: str
    """The hub's word for the kind, e.g. ``LORA``."""
    base: str
    creator: str
    published_at: str
    """As written, mostly ISO 8601."""
    words: tuple[str, ...]
    tags: tuple[str, ...]
    description: str
    flags: Mapping[str, bool]
    """``nsfw``, and those of the permissions that are told."""


def read_version(held: Mapping[str, Any]) -> Version:
    """A version as the hub's interface gives it, with its model under ``model``."""
    model = inner(held, "model")
    return Version(
        model=number_of(held.get("modelId")) or number_of(model.get("id")),
        id=number_of(held.get("id")),
        title=name_in(model.get("name")),
        name=name_in(held.get("name")),
        type=name_in(model.get("type")),
        base=name_in(held.get("baseModel")),
        creator=name_in(inner(held, "creator").get("username")) or name_in(inner(model, "creator").get("username")),
        published_at=name_in(held.get("publishedAt")),
        words=words_in(held.get("trainedWords")),
        tags=texts_in(model.get("tags"), limit=_MAX_NAME, count=_MAX_LIST),
        description=note_in(model.get("description")) or note_in(held.get("description")),
        flags={_FLAGS[key]: model[key] for key in _FLAGS if isinstance(model.get(key), bool)},
    )


def base_family(base: str) -> str | None:
    """The family that a hub's, or webui's, name of a base model means."""
    return _families().get(_bare(base))


def inner(held: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The map under that name; an empty one where there is none."""
    found = held.get(name)
    return found if isinstance(found, dict) else {}


def rows_in(value: object, count: int = _MAX_LIST) -> tuple[Mapping[str, Any], ...]:
    """The maps among the first `count` of a list; none of what is no list."""
    return tuple(one for one in value[:count] if isinstance(one, dict)) if isinstance(value, list) else ()


def name_in(value: object) -> str:
    """One line."""
    return " ".join(cleaned(value, _MAX_NAME).split())


def words_in(value: object) -> tuple[str, ...]:
    """Trigger words, without the ``<lora:...>`` that some prompts carry along."""
    return distinct(_CALL.sub("", one) for one in texts_in(value, limit=_MAX_WORDS, count=_MAX_LIST))


def note_in(value: object) -> str:
    """HTML as plain text."""
    return cleaned(unmarked(value), _MAX_NOTE) if isinstance(value, str) else ""


def number_of(value: object) -> int | None:
    """A number that the hub gave to something, or a count."""
    return value if type(value) is int and 0 < value <= LARGEST else None


@cache
def _families() -> Mapping[str, str]:
    named = {_bare(each): one.name for one in known().values() for each in (one.name, *one.hub_names)}
    return {"flux": "flux1", **named}


def _bare(name: str) -> str:
    return "".join(char for char in name.casefold() if char.isalnum())
