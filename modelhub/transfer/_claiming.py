"""One file has one writer at a time, in whatever process."""

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from modelhub.errors import ModelHubError
from modelhub.jobs import Cancel, Notice
from modelhub.transfer import _journal
from modelhub.transfer._nouns import Clock
from modelhub.transfer._part import journal_path
from modelhub.transfer._patience import pause

__all__ = ["Claim"]

_FOLDER = ".locks"
_LOOK_SECONDS = 0.2


class Claim:
    """The right to write `target`: a lock, and where locks are no locks (network folders) the journal's owner."""

    def __init__(self, target: Path) -> None:
        from filelock import FileLock

        self.waited = False
        """Whether somebody else had it before us."""
        self._target = target
        self._folder = target.parent / _FOLDER
        name = hashlib.sha256(target.name.encode()).hexdigest()[:24]
        self._lock = FileLock(self._folder / f"{name}.lock", timeout=0, thread_local=False)

    def take(self, clock: Clock, cancel: Cancel | None) -> Iterator[Notice]:
        """Wait until it is ours, saying so once."""
        while not self._is_ours():
            if not self.waited:
                self.waited = True
                yield Notice(f"{self._target.name}: another process is fetching it; waiting")
            pause(_LOOK_SECONDS, clock, cancel)

    def release(self) -> None:
        """Let go, and leave nothing behind if nobody else is here."""
        if self._lock.is_locked:
            with suppress(OSError):  # another process may look into it, and some systems mind
                Path(self._lock.lock_file).unlink()
            self._lock.release()
            with suppress(OSError):
                self._folder.rmdir()

    def _is_ours(self) -> bool:
        from filelock import Timeout

        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._lock.acquire()
        except (Timeout, FileNotFoundError):  # somebody has it, or has just tidied the folder away
            return False
        except OSError as error:
            raise ModelHubError(f"{self._folder}: no lock can be had ({error.strerror})") from error
        journal = _journal.read(journal_path(self._target))
        if journal and journal.is_held():
            self._lock.release()
            return False
        return True
