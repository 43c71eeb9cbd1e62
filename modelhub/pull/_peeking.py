"""Identifies a model before it is fetched: a safetensors file begins with its header, which tells nearly all."""

import io
import re
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from modelhub.errors import BrokenFile, Unreachable
from modelhub.headers.safetensors import read_safetensors
from modelhub.hubs import Hub, Listing
from modelhub.identify import identify
from modelhub.kinds import Facts
from modelhub.network import Answer, Network
from modelhub.transfer import Located

__all__ = ["peek"]

_FIRST = 1 << 16
"""Bytes: holds the whole header of most LoRAs."""
_MOST = 1 << 24
"""Bytes of a header that are fetched for a look."""
_WHOLE = re.compile(r"bytes \d+-\d+/(\d+)")


def peek(listing: Listing, *, hub: Hub, network: Network) -> Facts | None:
    """What its header says it is; None for what is not one safetensors file, or has too long a header.

    Raises what `Hub.locate` raises, `Unreachable`, `BrokenFile`.
    """
    if len(listing.files) != 1 or not listing.files[0].path.lower().endswith(".safetensors"):
        return None
    file = listing.files[0]
    located = hub.locate(listing, file)
    head, size = _beginning(located, 0, _FIRST, network)
    needed = 8 + int.from_bytes(head[:8], "little")
    if needed > min(size, _MOST):
        return None
    if needed > len(head):
        head += _beginning(located, len(head), needed, network)[0]
    path = Path(file.path)
    if len(head) < needed:
        raise BrokenFile(path, "its header does not come whole")
    return identify(read_safetensors(path, _Beginning(head, size)), name=path.stem)


class _Beginning(io.BytesIO):
    """The first bytes of a file of which only those are here."""

    def __init__(self, head: bytes, size: int) -> None:
        super().__init__(head)
        self._size = size

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return self._size if whence == io.SEEK_END else super().seek(offset, whence)


def _beginning(located: Located, start: int, end: int, network: Network) -> tuple[bytes, int]:
    """The bytes from `start` to `end`, or to the file's end, and the size of the whole file."""
    if located.url.startswith("file:"):
        path = Path(url2pathname(urlsplit(located.url).path))
        with path.open("rb") as file:
            file.seek(start)
            return file.read(end - start), path.stat().st_size
    ranged = {**located.headers, "Range": f"bytes={start}-{end - 1}", "Accept-Encoding": "identity"}
    with closing(network.open(located.url, headers=ranged, grant=located.grant)) as answer:
        headers = {name.lower(): value for name, value in answer.headers.items()}
        if answer.status == 206 and (whole := _WHOLE.fullmatch(headers.get("content-range", ""))):
            return _read(answer, end - start), int(whole[1])
        if answer.status == 200 and start == 0:
            return _read(answer, end), _length(headers)
        raise Unreachable(f"{urlsplit(located.url).hostname} answered {answer.status} to a question for a few bytes")


def _read(answer: Answer, count: int) -> bytes:
    held = bytearray(count)
    view, at = memoryview(held), 0
    while at < count and (got := answer.readinto(view[at:])):
        at += got
    return bytes(held[:at])


def _length(headers: Mapping[str, str]) -> int:
    told = headers.get("content-length", "")
    return int(told) if told.isascii() and told.isdigit() else 0
