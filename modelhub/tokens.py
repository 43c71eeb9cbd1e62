"""Tokens of hubs: where they are kept, and a type that keeps them out of whatever is written or shown."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Grant", "Secret", "TokenStore"]

_VARIABLES = {"civitai": ("CIVITAI_API_TOKEN", "CIVITAI_TOKEN", "CIVITAI_API_KEY"), "hf": ("HF_TOKEN",)}
"""Of the environment, the first one that is set."""


@dataclass(frozen=True, slots=True)
class Secret:
    """A text that shows itself to nobody by accident: printed, formatted or logged it is three dots."""

    _text: str = field(repr=False)

    def reveal(self) -> str:
        return self._text

    def __str__(self) -> str:
        return "..."


@dataclass(frozen=True, slots=True)
class Grant:
    """A token, and the hosts that may see it."""

    token: Secret
    hosts: tuple[str, ...]
    """By dotted suffix: ``civitai.com`` means itself and ``www.civitai.com``, never ``notcivitai.com``."""


class TokenStore:
    """Tokens by the name of their hub (``civitai``, ``hf``): the environment's, else the ones that were kept."""

    def __init__(self, environ: Mapping[str, str], folder: Path) -> None:
        self._environ = environ
        self._folder = folder
        """For the file that serves where the system has no keyring: only its owner may read it."""

    def find(self, hub: str) -> Secret | None:
        """The token to use at `hub`, if there is one."""
        named = (self._environ.get(name, "").strip() for name in _VARIABLES.get(hub, ()))
        return next((Secret(one) for one in named if one), None)
