"""Which models an infotext names, and by which digests (pure)."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from inference.infotext.read import Infotext

__all__ = ["NamedModel", "models_of", "networks_of", "stem", "titled"]

_PAIR = re.compile(r"([^:,][^:]*): *([0-9a-fA-Fx]{8,66})(?:, *|$)")
_TITLE = re.compile(r"(.*?)(?: \[([0-9a-fA-F]{8,64})\])?", re.DOTALL)
_HEX = re.compile(r"(?:0x)?([0-9a-fA-F]{8,64})")
_LISTS = (("lora", "Lora hashes"), ("embedding", "TI hashes"), ("embedding", "TI"))
_ROLES = {"embed": "embedding", "hypernet": "hypernetwork"}
"""Roles that Civitai calls otherwise."""


@dataclass(frozen=True, slots=True)
class NamedModel:
    """A model as a picture names it."""

    role: str
    """``model``, ``vae``, ``lora``, ..."""
    name: str
    """Empty where only the digest stands."""
    digest: str
    """The beginning of one, of whichever algorithm; lower-case hex; empty where only the name stands."""


def models_of(told: Infotext) -> tuple[NamedModel, ...]:
    """All that it gives a hash of, webui's own lists first, then Civitai's."""
    found = [
        NamedModel(role, told.fields.get(key, ""), digest)
        for role, key in (("model", "Model"), ("vae", "VAE"))
        if (digest := _digest(told.fields.get(f"{key} hash", "")))
    ]
    named = [titled(role, told.fields[key]) for role, key in _TITLED.items() if key in told.fields]
    return tuple(dict.fromkeys([*found, *(one for one in named if one.digest), *networks_of(told), *_hashes(told)]))


_TITLED = {"hires": "Hires checkpoint", "refiner": "Refiner"}


def networks_of(told: Infotext) -> Iterator[NamedModel]:
    """LoRAs and embeddings: ``"name: digest, name: digest"``."""
    for role, key in _LISTS:
        for name, digest in _PAIR.findall(told.fields.get(key, "")):
            yield NamedModel(role, name.strip(), _digest(digest))


def titled(role: str, title: str) -> NamedModel:
    """From ``name [digest]``, or a name alone."""
    found = _TITLE.fullmatch(title)
    return NamedModel(role, found[1] if found else title, (found[2] or "").lower() if found else "")


def stem(name: str) -> str:
    """What a file is called, however deep it lies and whichever system wrote its path."""
    file = PurePosixPath(name.replace("\\", "/")).name
    return file.rsplit(".", 1)[0] if file.endswith(_ENDINGS) else file


_ENDINGS = (".safetensors", ".ckpt", ".pt", ".pth", ".bin")


def _hashes(told: Infotext) -> Iterator[NamedModel]:
    """``{"model": ..., "lora:NAME": ...}``, as Civitai reads it."""
    for key, digest in _json(told.fields.get("Hashes", "")).items():
        role, _, name = key.partition(":")
        if isinstance(digest, str) and _digest(digest):
            yield NamedModel(_ROLES.get(role, role), name, _digest(digest))


def _digest(text: str) -> str:
    found = _HEX.fullmatch(text.strip())
    return found[1].lower() if found else ""


def _json(text: str) -> Mapping[str, object]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
