"""What comes back from another machine."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol

__all__ = ["Answer", "Reply"]


class Answer(Protocol):
    """A body that is still to be read. Close it, or use it in a ``with``."""

    status: int
    headers: Mapping[str, str]
    """Names in any case."""
    url: str
    """Where it came from, after all redirects: may hold a signature, so it is not to be shown or kept."""
    location: str | None
    """Where a redirect that was not followed leads, as a whole address."""

    def readinto(self, view: memoryview) -> int:
        """Fill `view` from the body; returns how many bytes, 0 at its end.

        Raises `Unreachable` when the connection breaks, stalls, or ends before the length that was promised.
        """

    def close(self) -> None: ...

    def __enter__(self) -> "Answer": ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer to a question in JSON."""

    status: int
    headers: Mapping[str, str]
    content: Any
    """The parsed body; None where it is empty or no JSON."""
    text: str
    """The beginning of the body as text, cleaned, for errors."""
