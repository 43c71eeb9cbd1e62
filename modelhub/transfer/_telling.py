"""How often a file tells how far it is."""

import time
from collections.abc import Iterator

from modelhub.jobs import Progress

__all__ = ["Teller"]

_SECONDS = 0.1


class Teller:
    """Gives an event now and then, however often it is asked."""

    def __init__(self, task: str) -> None:
        self._task = task
        self._told = time.monotonic()

    def at(self, done: int, total: int | None) -> Iterator[Progress]:
        """Bytes so far; an event, or none when the last one is not long ago."""
        if (now := time.monotonic()) - self._told >= _SECONDS:
            self._told = now
            yield Progress(self._task, done, total, "B")
