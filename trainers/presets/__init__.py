"""Recipes that begin well, one TOML file each: `modelhub train lora --preset character-sdxl`. To add one, add a file.

A preset holds what practitioners agree on for one sort of pictures and one family; flags and recipes win over it. What
it does not say is as the recipe's tables have it.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import PurePosixPath
from typing import Any

from modelhub.errors import BadValue

__all__ = ["Preset", "preset_for", "presets", "read_preset"]

_ABOUT = ("about", "family", "subject")


@dataclass(frozen=True, slots=True)
class Preset:
    """Entries of a recipe, and what they are for."""

    name: str
    about: str
    method: str
    family: str
    """Of the base, e.g. ``sdxl``."""
    subject: str
    """``character``, ``style``, ``object``, ..."""
    entries: Mapping[str, Any]
    text: str
    """The TOML itself, where each entry has its reason."""


def presets() -> tuple[Preset, ...]:
    """All of them, by name."""
    files = (PurePosixPath(one.name) for one in resources.files(__package__).iterdir())
    return tuple(map(_read, sorted(one.stem for one in files if one.suffix == ".toml")))


def read_preset(name: str) -> Preset:
    """The one of that name; raises `BadValue` naming those there are."""
    names = [one.name for one in presets()]
    if name not in names:
        raise BadValue(f"there is no preset {name!r}: there are {', '.join(names)}", mend="modelhub train presets")
    return _read(name)


def preset_for(method: str, family: str | None) -> Preset | None:
    """What a method takes on a family where nobody names a preset: its character, else the first there is."""
    fitting = [one for one in presets() if (one.method, one.family) == (method, family)]
    return min(fitting, key=lambda one: one.subject != "character", default=None)


def _read(name: str) -> Preset:
    text = resources.files(__package__).joinpath(f"{name}.toml").read_text("utf-8")
    fields = tomllib.loads(text)
    about, family, subject = (fields.pop(key) for key in _ABOUT)
    return Preset(name, about, fields["method"], family, subject, fields, text)
