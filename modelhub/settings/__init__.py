"""The few things a person configures, read once at an entry point and passed down as values.

A flag wins over ``MODELHUB_*``, that over the workspace's `modelhub.toml`, that over the user's own file. How hubs are
reached is read from the environment and the user's own file only: a workspace may be somebody else's folder, and must
not say where tokens go.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from modelhub.errors import BadValue
from modelhub.settings._hubs import HubSettings, read_hubs
from modelhub.workspace import Workspace, find_workspace

__all__ = ["DEVICES", "HubSettings", "Settings", "read_settings", "user_file"]

DEVICES = ("auto", "cpu", "cuda")
_KEYS = {"home", "device"}


@dataclass(frozen=True, slots=True)
class Settings:
    """All of them, decided."""

    home: Path
    """Root of the workspace to work in."""
    device: str
    """``auto``, ``cpu`` or ``cuda``."""
    hubs: HubSettings = field(default_factory=HubSettings)

    @property
    def workspace(self) -> Workspace:
        return Workspace(self.home)


def read_settings(*, flags: Mapping[str, str | None], environ: Mapping[str, str], start: Path, user: Path) -> Settings:
    """Decide every setting for a command run in `start`; `user` is the user's own file, which need not exist.

    Raises `BadValue` naming the file and the entry that means nothing.
    """
    said = {key: flags.get(key) or environ.get(f"MODELHUB_{key.upper()}") for key in _KEYS}
    at_home = _read(user, hubs=True)
    workspace = find_workspace(start, home=_path(said["home"]), fallback=_path(at_home.get("home")))
    nearer = _read(workspace.settings)
    device = said["device"] or nearer.get("device") or at_home.get("device") or "auto"
    return Settings(workspace.root, _checked(device), read_hubs(at_home.get("hubs", {}), environ, user))


def user_file() -> Path:
    """Where the user's own settings stand."""
    import platformdirs

    return platformdirs.user_config_path("modelhub") / "config.toml"


def _read(path: Path, *, hubs: bool = False) -> Mapping[str, Any]:
    """The texts that a file holds; the user's own may have a table of `hubs`."""
    try:
        entries: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadValue(f"{path} is no TOML: {error}", mend=f"correct {path}") from error
    if "hubs" in entries and not hubs:
        raise BadValue(f"{path}: how hubs are reached is not for a folder to say", mend=f"write it in {user_file()}")
    if strange := entries.keys() - _KEYS - {"hubs"}:
        raise BadValue(
            f"{path} has no setting {sorted(strange)[0]!r}", mend=f"the settings are {', '.join(sorted(_KEYS))}"
        )
    if wrong := [key for key, value in entries.items() if not isinstance(value, dict if key == "hubs" else str)]:
        raise BadValue(f"{path}: {wrong[0]} is not a text", mend=f'write {wrong[0]} = "..."')
    return entries


def _path(text: str | None) -> Path | None:
    return Path(text) if text else None


def _checked(device: str) -> str:
    if device not in DEVICES:
        raise BadValue(f"{device!r} is no device", mend=f"one of {', '.join(DEVICES)}")
    return device
