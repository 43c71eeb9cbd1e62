"""The sha256 of a file while it grows, computed in a thread of its own.

The thread is handed what has just been written, and reads from the file what it was not handed: the beginning that an
earlier process left, and all that came while it was busy. So the writer hardly waits for it, and memory stays flat.
"""

import hashlib
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

__all__ = ["Follower"]

_CHUNK = 1 << 20
"""Bytes. Less is lost in hand-overs, more falls out of the cache."""
_BUFFERS = 3
_PATIENCE_SECONDS = 0.05
"""For a buffer to come back, where only few are out: what is not handed over must be read again."""
_WORTH_A_THREAD = 1 << 23
"""Bytes: less is hashed before a thread has begun."""


class Follower:
    """Follows the growth of one file. `close` it; after a new beginning of the file begin with a new one."""

    def __init__(self, path: Path) -> None:
        self.buffer = memoryview(bytearray(_CHUNK))
        """What the writer fills next."""
        self._file = path.open("rb", buffering=0)
        self._sha256 = hashlib.sha256()
        self._done = self._goal = 0
        self._free = deque(memoryview(bytearray(_CHUNK)) for _ in range(_BUFFERS - 1))
        self._waiting = deque[tuple[int, memoryview, memoryview]]()
        """Where in the file, what, and the buffer that it stands in."""
        self._news = threading.Condition()
        self._thread: threading.Thread | None = None
        self._stopped = False

    def wrote(self, position: int, count: int) -> None:
        """The first `count` bytes of `buffer` lie in the file at `position`, the end so far; `buffer` is a new one."""
        if self._thread:
            self._hand_over(position, count)
        self.reach(position + count)

    def reach(self, position: int) -> None:
        """So many bytes from the beginning lie in the file now."""
        with self._news:
            self._goal = position
            self._news.notify()
        if self._thread is None and position - self._done >= _WORTH_A_THREAD:
            self._thread = threading.Thread(target=self._follow, name="sha256", daemon=True)
            self._thread.start()

    def rest(self) -> Iterator[int]:
        """Hash what is left, telling how far it is; `hexdigest` holds afterwards."""
        self._stop()
        while self._done < self._goal and self._read(self._goal):
            yield self._done

    def hexdigest(self) -> str:
        return self._sha256.hexdigest()

    def close(self) -> None:
        self._stop()
        self._file.close()

    def _hand_over(self, position: int, count: int) -> None:
        with self._news:
            if position - self._done <= _BUFFERS * _CHUNK:
                self._news.wait_for(lambda: self._free, _PATIENCE_SECONDS)
            if self._free:
                self._waiting.append((position, self.buffer[:count], self.buffer))
                self.buffer = self._free.popleft()

    def _stop(self) -> None:
        with self._news:
            self._stopped = True
            self._news.notify()
        if self._thread:
            self._thread.join()

    def _follow(self) -> None:
        own = memoryview(bytearray(_CHUNK))
        with suppress(OSError):  # met again by whoever hashes the rest
            while self._next(own):
                pass

    def _next(self, own: memoryview) -> bool:
        """Hash what was handed over, or what was not; False when there will be no more."""
        with self._news:
            self._news.wait_for(lambda: self._stopped or self._waiting or self._goal - self._done >= _CHUNK)
            position, portion, buffer = self._waiting[0] if self._waiting else (self._goal, own[:0], None)
        while self._done < position and not self._stopped:
            if not self._read(position, own):
                return False
        if self._stopped:
            return False
        if buffer is not None:
            self._update(portion)
            with self._news:
                self._waiting.popleft()
                self._free.append(buffer)
                self._news.notify()
        return True

    def _read(self, goal: int, into: memoryview | None = None) -> int:
        """Hash a chunk of the file at most; 0 when it has fewer bytes than it should, which the digest will show."""
        into = into or memoryview(bytearray(_CHUNK))
        self._file.seek(self._done)
        count = self._file.readinto(into[: min(_CHUNK, goal - self._done)]) or 0
        self._update(into[:count])
        return count

    def _update(self, portion: memoryview) -> None:
        self._sha256.update(portion)
        self._done += portion.nbytes
