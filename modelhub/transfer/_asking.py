"""How a storage is asked for the bytes that are missing."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from modelhub.jobs import Cancel
from modelhub.network import Answer, Network
from modelhub.transfer._bucket import Bucket
from modelhub.transfer._judging import Asked
from modelhub.transfer._local import LocalAnswer
from modelhub.transfer._nouns import Clock, Located, Pace, Wanted
from modelhub.transfer._part import Part

__all__ = ["Way", "ask", "asked_of", "title"]


@dataclass(frozen=True, slots=True)
class Way:
    """How files come: what all of them share."""

    network: Network
    pace: Pace
    bucket: Bucket
    clock: Clock
    cancel: Cancel | None


def title(wanted: Wanted) -> str:
    """What people know the file by."""
    return wanted.name or wanted.target.name


def asked_of(part: Part, located: Located) -> Asked:
    """What to ask for: the rest, if there is anything to prove in the end that it belongs to the beginning."""
    wanted = part.wanted
    has_proof = wanted.sha256 is not None or part.validator != ""
    return Asked(
        title(wanted),
        urlsplit(located.url).hostname or "the disk",
        position=part.position if has_proof else 0,
        promised=wanted.size,
        total=part.total,
        validator=part.validator,
        is_pinned=wanted.sha256 is not None and wanted.size is not None,
        weights=wanted.weights,
    )


def ask(located: Located, asked: Asked, way: Way, *, stop: int | None = None) -> Answer:
    """Ask for the bytes from `asked.position` on, up to `stop`.

    Pinned bytes need no ``If-Range``: storages that hold the same file tag it differently, and the digest tells in the
    end.
    """
    if located.url.startswith("file:"):
        return LocalAnswer(located.url, asked.position)
    headers = dict(located.headers)
    if asked.position or stop:
        headers["Range"] = f"bytes={asked.position}-{stop - 1 if stop else ''}"
    if asked.position and asked.validator and not asked.is_pinned:
        headers["If-Range"] = asked.validator
    return way.network.open(located.url, headers=headers, grant=located.grant)
