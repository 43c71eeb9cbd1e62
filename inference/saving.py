"""Pictures are encoded and written down while the next ones are drawn."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

from inference.picture import Picture

__all__ = ["Saving"]


class Saving:
    """Writes in the order of adding, one at a time; leaving it waits for all, whatever the reason.

    The first failure is raised by the next call, and nothing is written after it.
    """

    def __init__(self, write: Callable[[Picture], Picture]) -> None:
        self._write = write
        self._worker = ThreadPoolExecutor(1, "saving")
        self._writings: list[Future[Picture]] = []
        self._failed = False

    def add(self, picture: Picture) -> None:
        """Write a picture soon."""
        for writing in self._writings:
            if writing.done():
                writing.result()
        self._writings.append(self._worker.submit(self._written, picture))

    @property
    def saved(self) -> list[Picture]:
        """What was written, each with its place."""
        return [writing.result() for writing in self._writings]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._worker.shutdown(wait=True)
        if error is None:
            for writing in self._writings:
                writing.result()

    def _written(self, picture: Picture) -> Picture:
        if self._failed:
            return picture
        self._failed = True
        written = self._write(picture)
        self._failed = False
        return written
