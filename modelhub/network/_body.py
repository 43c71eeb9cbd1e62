"""A body as it comes: read straight into the caller's memory, and known to be cut short when it is."""

import io
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, cast
from urllib.parse import urljoin

from requests import Response
from requests.structures import CaseInsensitiveDict

from modelhub.errors import Unreachable
from modelhub.network._answer import Answer
from modelhub.network._failures import FAILURES, explained
from modelhub.network._rules import where
from modelhub.network._steps import REDIRECTS

__all__ = ["Body"]

_FILL_SECONDS = 0.05
"""Encrypted bodies come in pieces of 16 KiB: so long they are put together before the caller gets them."""
_WORTH_DRAINING = 1 << 14
"""Bytes of an unwanted body that are rather read than paid for with a new connection."""
_LONGEST_REFUSAL = 1 << 16


class Body:
    """An `Answer` of `requests`."""

    def __init__(self, response: Response, hidden: str = "") -> None:
        """`hidden` is a token that went along, and that the machine may repeat."""
        self._hidden = hidden
        self._refusal: io.BytesIO | None = None
        self._raw = cast(Any, response.raw)
        self._source: Any = self._raw._fp  # below urllib3, which would copy twice
        self._left = None if self._source.chunked else self._source.length
        """Bytes still to come; None while nothing tells."""
        self._failure: Unreachable | None = None
        self.status: int = response.status_code
        self.headers: Mapping[str, str] = CaseInsensitiveDict(
            {name: value.replace(hidden, "...") if hidden else value for name, value in response.headers.items()}
        )
        self.url: str = response.url
        target = response.headers.get("Location") if self.status in REDIRECTS else None
        self.location: str | None = urljoin(self.url, _as_utf8(target)) if target else None

    def readinto(self, view: memoryview) -> int:
        """What came in a moment, at most `view`; what fails after some bytes came is told by the next call.

        Of a refusal only the beginning is given, without the token that it may repeat: it is there to be shown.
        """
        return self._refused().readinto(view) if self._hidden and self.status >= 400 else self._filled(view)

    def close(self) -> None:
        if self.location and self._left is not None and self._left <= _WORTH_DRAINING:
            self._piece(memoryview(bytearray(_WORTH_DRAINING)))
        if not self._source.isclosed():
            self._raw.close()
        self._raw.release_conn()

    def __enter__(self) -> Answer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _filled(self, view: memoryview) -> int:
        begun, got = time.monotonic(), 0
        while got < len(view) and (count := self._piece(view[got:])):
            got += count
            if time.monotonic() - begun > _FILL_SECONDS:
                break
        if self._failure and not got:
            raise self._failure
        return got

    def _refused(self) -> io.BytesIO:
        if self._refusal is None:
            held, room = bytearray(), memoryview(bytearray(_LONGEST_REFUSAL))
            while len(held) < _LONGEST_REFUSAL and (count := self._filled(room[len(held) :])):
                held += room[len(held) : len(held) + count]
            if len(held) == _LONGEST_REFUSAL:
                del held[-len(self._hidden) :]  # which may be the beginning of the token
            self._refusal = io.BytesIO(held.replace(self._hidden.encode(), b"..."))
        return self._refusal

    def _piece(self, view: memoryview) -> int:
        """One read; 0 at the end, and when it fails, which is kept."""
        if self._failure or self._source.isclosed():
            return 0
        try:
            count = self._chunk(view) if self._source.chunked else self._plain(view)
        except FAILURES as error:
            self._failure = explained(error, self.url)
            return 0
        if not count and self._left:
            self._failure = Unreachable(f"{where(self.url)} ended {self._left} bytes early", mend="run it again")
        return count

    def _plain(self, view: memoryview) -> int:
        count: int = self._source.fp.readinto1(view if self._left is None else view[: self._left])
        if self._left is not None:
            self._left -= count
        if self._left == 0 or (self._left is None and not count):
            self._source.close()
        return count

    def _chunk(self, view: memoryview) -> int:
        """Raises `IncompleteRead` where a chunk, or the last one, is missing."""
        came = self._source.read1(len(view))
        view[: len(came)] = came
        return len(came)


def _as_utf8(header: str) -> str:
    """Headers are read as Latin-1; addresses that are not escaped are UTF-8 in fact."""
    try:
        return header.encode("latin-1").decode()
    except UnicodeError:
        return header
