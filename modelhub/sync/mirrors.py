"""Where else a file's bytes may be had: wherever a file has the same sha256, whatever it is called there."""

import json
import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from modelhub import hubs
from modelhub.digests import digest_file
from modelhub.errors import ModelHubError, NotOffered
from modelhub.hubs import Hub, HubRef, Listing, RemoteFile
from modelhub.jobs import drain
from modelhub.network import Network
from modelhub.transfer import Located

__all__ = ["Mirror", "Sought", "mirror"]

_SIDECAR = ".modelhub.json"
_MOST_SIDECAR = 1 << 20
"""Bytes."""
_PARTIAL = 206


@dataclass(frozen=True, slots=True)
class Sought:
    """A file that somebody may have."""

    listing: Listing
    file: RemoteFile
    sha256: str
    name: str
    """What the hub calls the model, or its file without the ending."""


Mirror = Callable[[Sought], Located | None]
"""One other place: where it has these bytes, or None. Its errors are `ModelHubError`s."""


def mirror(place: str, *, connect: Callable[[str], Hub], network: Network) -> Mirror:
    """The mirror that an entry of the manifest means: a folder, a hub's name or address, or any other web address."""
    if Path(place).is_absolute():
        return _folder(Path(place))
    if place in hubs.names():
        return _hub(connect(place))
    ref = hubs.parse(place)
    if ref.hub == "folder":
        return _folder(Path(ref.model))
    return _web(place, network) if ref.hub == "web" else _repository(connect(ref.hub), ref)


def _folder(root: Path) -> Mirror:
    """Files of the right size are compared by digest: by what a note beside one says, else by reading it."""

    @cache
    def by_size() -> Mapping[int, list[Path]]:
        found: dict[int, list[Path]] = defaultdict(list)
        for folder, _, names in os.walk(root):
            for name in names:
                with suppress(OSError):
                    found[(path := Path(folder, name)).stat().st_size].append(path)
        return found

    @cache
    def digest(path: Path) -> str:
        return _noted(path) or drain(digest_file(path, algorithms=("sha256",)))["sha256"]

    def locate(sought: Sought) -> Located | None:
        if not root.is_dir():
            raise NotOffered(f"the mirror {root} is not there", mend=f"ls {root}")
        alike = by_size().get(sought.file.size or 0, [])
        named = sorted(alike, key=lambda path: path.name != PurePosixPath(sought.file.path).name)
        return next((Located(path.as_uri()) for path in named if digest(path) == sought.sha256), None)

    return locate


def _noted(path: Path) -> str | None:
    """The digest that the note of a pull beside a file tells, where it is newer than the file."""
    note = path.with_suffix(_SIDECAR)
    try:
        if note.stat().st_size > _MOST_SIDECAR or note.stat().st_mtime_ns < path.stat().st_mtime_ns:
            return None
        found = json.loads(note.read_text(encoding="utf-8"))["sha256"][path.name]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found.lower() if isinstance(found, str) else None


def _hub(hub: Hub) -> Mirror:
    def locate(sought: Sought) -> Located | None:
        found = dict(hub.by_sha256([sought.sha256]))
        return _located(hub, found.get(sought.sha256, ()), sought.sha256)

    return locate


def _repository(hub: Hub, ref: HubRef) -> Mirror:
    listings = cache(lambda: hub.listings(ref))
    return lambda sought: _located(hub, listings(), sought.sha256)


def _located(hub: Hub, listings: tuple[Listing, ...], sha256: str) -> Located | None:
    pairs = ((listing, file) for listing in listings for file in listing.files)
    same = next((pair for pair in pairs if pair[1].digests.get("sha256") == sha256), None)
    return hub.locate(*same) if same else None


def _web(base: str, network: Network) -> Mirror:
    """A plain web folder: another machine's `models/`, by file name or by digest; the transfer proves the bytes."""

    def locate(sought: Sought) -> Located | None:
        for path in dict.fromkeys(_paths(sought)):
            url = f"{base.rstrip('/')}/{quote(path)}"
            with suppress(ModelHubError), network.open(url, headers={"Range": "bytes=0-0"}) as answer:
                total = answer.headers.get("Content-Range", "").rpartition("/")[2]
                if answer.status == _PARTIAL and total == str(sought.file.size):
                    return Located(url)
        return None

    return locate


def _paths(sought: Sought) -> Iterator[str]:
    path = sought.file.path
    ending = f"/{path}" if sought.listing.is_folder else PurePosixPath(path).suffix
    names = (sought.name, sought.listing.name, sought.listing.title)
    yield from (f"{sought.listing.kind or 'unknown'}/{name}{ending}" for name in names)
    yield from (f"{name}{ending}" for name in names)
    yield from (path, sought.sha256)
