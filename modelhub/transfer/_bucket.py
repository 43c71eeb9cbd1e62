"""How many bytes a second may come, of all files together."""

import threading

from modelhub.transfer._nouns import Clock

__all__ = ["Bucket"]

_PORTIONS_A_SECOND = 8


class Bucket:
    """Fills with `rate` bytes a second, a second's worth at most; None is no limit. Serves several threads."""

    def __init__(self, rate: float | None, clock: Clock) -> None:
        self._rate = rate
        self._now = clock.now
        self._paid_until = clock.now() - 1.0
        self._lock = threading.Lock()

    def portion(self, most: int) -> int:
        """Bytes to read at once, so that a slow file still moves smoothly."""
        return most if self._rate is None else max(1024, min(most, int(self._rate / _PORTIONS_A_SECOND)))

    def take(self, count: int) -> float:
        """Seconds to wait after `count` bytes."""
        if self._rate is None:
            return 0.0
        with self._lock:
            now = self._now()
            self._paid_until = max(self._paid_until, now - 1.0) + count / self._rate
            return max(0.0, self._paid_until - now)
