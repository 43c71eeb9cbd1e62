"""Where models come from: one file, or one room, a hub. A new one is a new file; the registry finds it.

A hub tells what it offers (`listings`) and where the bytes are now (`locate`); fetching them is `modelhub.transfer`'s.
"""

import importlib
import pkgutil
from collections.abc import Callable
from functools import cache, partial
from typing import cast

from modelhub.errors import BadValue
from modelhub.hubs._address import HubRef, shown
from modelhub.hubs._contradictions import contradictions
from modelhub.hubs._hub import Access, Account, Hub, Member, Search
from modelhub.hubs._listing import Gate, Listing, Preview, RemoteFile, Scan
from modelhub.hubs._said import said

__all__ = [
    "Access",
    "Account",
    "Gate",
    "Hub",
    "HubRef",
    "Listing",
    "Member",
    "Preview",
    "RemoteFile",
    "Scan",
    "Search",
    "connect",
    "connected",
    "contradictions",
    "member",
    "names",
    "parse",
    "said",
    "shown",
    "with_tokens",
]


def parse(text: str) -> HubRef:
    """The hub's address that `text` means: with a prefix, a web page, an AIR; raises `BadValue` when it is none."""
    found = next((ref for one in _members().values() if (ref := one.address(text.strip()))), None)
    if found is None:
        mend = "write hf:OWNER/REPO, civitai:MODEL, or paste its page"
        raise BadValue(f"{shown(text)!r} is no address at a hub", mend=mend)
    return found


def connect(hub: str, access: Access) -> Hub:
    """The hub of that name, ready to be asked."""
    return member(hub).connect(access)


def connected(access: Access) -> Callable[[str], Hub]:
    """Hubs by name, each connected when it is first asked for."""
    return cache(partial(connect, access=access))


def with_tokens(access: Access) -> frozenset[str]:
    """The names of the hubs that we have a token for."""
    return frozenset(filter(access.tokens.find, names()))


def member(hub: str) -> Member:
    """What declares the hub of that name; raises `BadValue` naming those there are."""
    if hub not in _members():
        raise BadValue(f"{hub!r} is no hub", mend=f"one of {', '.join(names())}")
    return _members()[hub]


def names() -> tuple[str, ...]:
    """Of all hubs."""
    return tuple(_members())


@cache
def _members() -> dict[str, Member]:
    names = sorted(found.name for found in pkgutil.iter_modules(__path__) if not found.name.startswith("_"))
    modules = [cast(Member, importlib.import_module(f"{__name__}.{name}")) for name in names]
    return {module.NAME: module for module in sorted(modules, key=lambda one: one.NAME == "web")}
