"""One file."""

import hashlib
from urllib.parse import urlsplit
from urllib.request import url2pathname

from modelhub.jobs import Cancel, Done, Job, Progress
from modelhub.network import Network
from modelhub.transfer._nouns import Pace, Received, Wanted
from modelhub.workspace import publish

__all__ = ["fetch"]


def fetch(wanted: Wanted, *, network: Network, pace: Pace | None = None, cancel: Cancel | None = None) -> Job[Received]:
    """Bring one file to its place, going on with what an earlier attempt left, in this process or another.

    Raises what `wanted.locate` raises; `Unreachable` after so many attempts, `BrokenFile` when the bytes are not those
    that were promised, `OutOfResources`, `Interrupted`. What came so far is kept in all cases but the wrong bytes.
    """
    located = wanted.locate()
    digest, size = hashlib.sha256(), 0
    with publish(wanted.target, replace=False) as part, part.open("wb") as out:
        if located.url.startswith("file:"):
            with open(url2pathname(urlsplit(located.url).path), "rb") as source:  # noqa: PTH123
                while chunk := source.read(1 << 20):
                    digest.update(chunk)
                    size += out.write(chunk)
        else:
            with network.open(located.url, headers=located.headers, grant=located.grant) as answer:
                view = memoryview(bytearray(1 << 20))
                while count := answer.readinto(view):
                    digest.update(view[:count])
                    size += out.write(view[:count])
                    yield Progress(wanted.name or wanted.target.name, size, wanted.size, "B")
    yield Done(Received(wanted, digest.hexdigest(), size, size))
