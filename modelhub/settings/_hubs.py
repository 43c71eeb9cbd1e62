"""How hubs are reached: ``[hubs]`` in the user's own file, or the environment, which wins."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from modelhub.errors import BadValue

__all__ = ["HubSettings", "read_hubs"]

_HUGGINGFACE, _CIVITAI = "https://huggingface.co", "https://civitai.com"
_MOST_AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class HubSettings:
    """Each with the variable of the environment that says the same."""

    huggingface: str = _HUGGINGFACE
    """``HF_ENDPOINT``: a mirror gets no token unless `trust_mirrors`."""
    civitai: str = _CIVITAI
    """``MODELHUB_CIVITAI``."""
    allow: tuple[str, ...] = ()
    """``MODELHUB_ALLOW_HOSTS``: hosts (``nas.local``, ``nas.local:8080``) that may be plain http or private."""
    trust_mirrors: bool = False
    """``MODELHUB_TRUST_MIRRORS=1``: tokens go to mirrors too."""
    rate: float | None = None
    """``MODELHUB_RATE``: bytes a second that all downloads together take, e.g. ``5M``."""
    at_once: int = 4
    """``MODELHUB_AT_ONCE``: files fetched at a time."""
    connections: int = 1
    """``MODELHUB_CONNECTIONS``: for one large file, where a server limits each connection."""
    xet: bool = False
    """``MODELHUB_XET=1``: let HuggingFace's own Xet client fetch what it can; the result is hashed afterwards."""

    @property
    def allowed(self) -> tuple[str, ...]:
        """`allow`, and the hosts of the mirrors that the user set."""
        mirrors = (self.huggingface, self.civitai)
        return (*self.allow, *(urlsplit(one).hostname or "" for one in mirrors if one not in (_HUGGINGFACE, _CIVITAI)))


def read_hubs(table: Mapping[str, Any], environ: Mapping[str, str], file: Path) -> HubSettings:
    """What `table`, from the user's own `file`, and the environment say; raises `BadValue` for what means nothing."""
    if strange := table.keys() - _ENTRIES.keys():
        raise BadValue(f"{file}: [hubs] has no {sorted(strange)[0]!r}", mend=f"there are {', '.join(sorted(_ENTRIES))}")
    said = {
        name: environ[entry.variable] for name, entry in _ENTRIES.items() if environ.get(entry.variable, "").strip()
    }
    return HubSettings(**{name: _value(name, value) for name, value in {**table, **said}.items()})


def _value(name: str, value: Any) -> Any:
    entry = _ENTRIES[name]
    try:
        return entry.read(value)
    except (ValueError, TypeError, AttributeError, KeyError):
        raise BadValue(f"{value!r} means nothing as hubs.{name} or {entry.variable}", mend=entry.example) from None


def _endpoint(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
        raise ValueError(text)
    return text.rstrip("/")


def _switch(value: object) -> bool:
    return {"1": True, "true": True, "0": False, "false": False}[str(value).lower()]


def _rate(text: object) -> float:
    number = str(text).upper().removesuffix("B")
    scale = {"K": 1e3, "M": 1e6, "G": 1e9}.get(number[-1:], 1.0)
    if (rate := float(number[:-1] if scale > 1 else number) * scale) <= 0:
        raise ValueError(text)
    return rate


def _count(value: object) -> int:
    if not 1 <= (count := int(str(value))) <= _MOST_AT_ONCE:
        raise ValueError(value)
    return count


def _hosts(value: str | Sequence[str]) -> tuple[str, ...]:
    each = value.split(",") if isinstance(value, str) else value
    return tuple(one.strip().lower() for one in each if one.strip())


class _Entry(NamedTuple):
    variable: str
    read: Callable[[Any], Any]
    example: str


_ENTRIES: Mapping[str, _Entry] = {
    "huggingface": _Entry("HF_ENDPOINT", _endpoint, "write an address like https://hf-mirror.com"),
    "civitai": _Entry("MODELHUB_CIVITAI", _endpoint, "write an address like https://civitai.red"),
    "allow": _Entry("MODELHUB_ALLOW_HOSTS", _hosts, "write hosts like nas.local,192.168.1.5:8080"),
    "trust_mirrors": _Entry("MODELHUB_TRUST_MIRRORS", _switch, "write 1 or 0"),
    "rate": _Entry("MODELHUB_RATE", _rate, "write bytes a second like 5M"),
    "at_once": _Entry("MODELHUB_AT_ONCE", _count, f"write a number from 1 to {_MOST_AT_ONCE}"),
    "connections": _Entry("MODELHUB_CONNECTIONS", _count, f"write a number from 1 to {_MOST_AT_ONCE}"),
    "xet": _Entry("MODELHUB_XET", _switch, "write 1 or 0"),
}
