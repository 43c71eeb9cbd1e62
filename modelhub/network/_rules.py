"""Which addresses may be asked at all: pure."""

from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from modelhub.errors import ForbiddenHost
from modelhub.network._addresses import is_public, literal

__all__ = ["Allowed", "Origin", "checked", "origin", "private_host", "where"]

Origin = tuple[str, str, int]
"""Scheme, host, port: what may see the same secrets."""

_PORTS = {"http": 80, "https": 443}
_LONGEST_SHOWN = 120


@dataclass(frozen=True, slots=True)
class Allowed:
    """Hosts, each with its port or None for any, that may be plain http or lie in a private network."""

    hosts: frozenset[tuple[str, int | None]] = frozenset()

    @classmethod
    def of(cls, entries: Collection[str]) -> "Allowed":
        """From ``nas.local``, ``nas.local:8080``, ``::1``, ``[::1]:8080``."""
        return cls(frozenset(_entry(one.strip()) for one in entries if one.strip()))

    def covers(self, host: str, port: int) -> bool:
        name = _plain(host)
        return (name, None) in self.hosts or (name, port) in self.hosts


def checked(url: str, allowed: Allowed) -> SplitResult:
    """`url` taken apart; raises `ForbiddenHost` for what we do not ask, whatever lies there."""
    if not url.isprintable() or "\\" in url:
        raise ForbiddenHost(f"{where(url)} holds characters that no address has", mend="paste the address as it is")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        raise ForbiddenHost(f"{where(url)} is no address", mend="paste the address as it is") from None
    if parts.scheme not in _PORTS or not host:
        raise ForbiddenHost(f"{where(url)} is no https address", mend="give one that begins with https://")
    if parts.username is not None or parts.password is not None:
        raise ForbiddenHost(
            f"the address of {host} holds a name or password", mend="leave out what stands before the @"
        )
    if not allowed.covers(host, port):
        _check_stranger(parts.scheme, host, port)
    return parts


def _check_stranger(scheme: str, host: str, port: int) -> None:
    address = literal(host)
    if address and not is_public(address):
        raise private_host(host, port, address)
    if scheme == "http":
        raise ForbiddenHost(f"{host} is asked for over http, which anybody can read and change", mend=_mend(host, port))


def private_host(host: str, port: int, address: str) -> ForbiddenHost:
    """For a host that turned out to lie where nothing from outside should send us."""
    lies = host if address == _plain(host) else f"{host} ({address})"
    return ForbiddenHost(f"{lies} lies on this machine or in a private network", mend=_mend(host, port))


def origin(url: str) -> Origin:
    parts = urlsplit(url)
    return parts.scheme, _plain(parts.hostname or ""), parts.port or _PORTS.get(parts.scheme, 0)


def where(url: str) -> str:
    """Host and path of `url`, for people: nothing of it that could be a secret."""
    bare = url.partition("#")[0].partition("?")[0]
    place = bare.partition("://")[2] or bare
    authority, slash, path = place.partition("/")
    shown = authority.rpartition("@")[2] + slash + path
    clean = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in shown)
    return clean if len(clean) <= _LONGEST_SHOWN else f"{clean[:_LONGEST_SHOWN]}..."


def _entry(text: str) -> tuple[str, int | None]:
    if text.startswith("[") or text.count(":") == 1:
        host, _, port = text.rpartition(":") if not text.endswith("]") else (text, "", "")
        return _plain(host), int(port) if port.isdecimal() else None
    return _plain(text), None


def _plain(host: str) -> str:
    return host.strip("[]").rstrip(".").lower()


def _mend(host: str, port: int) -> str:
    named = f"[{host}]" if ":" in host else host
    return f"if you trust it: export MODELHUB_ALLOW_HOSTS={named if port in _PORTS.values() else f'{named}:{port}'}"
