"""How often, and after what pause, something is tried again."""

import random

from modelhub.jobs import Cancel
from modelhub.transfer._judging import Setback
from modelhub.transfer._nouns import Clock

__all__ = ["Patience", "pause"]

_FIRST_SECONDS, _LONGEST_SECONDS = 0.5, 30.0
_LONGEST_ASKED_SECONDS = 300.0
"""Whoever asks for more is asked another day."""
_GLANCE_SECONDS = 0.2


class Patience:
    """Counts attempts in a row that brought nothing."""

    def __init__(self, attempts: int, position: int) -> None:
        self._attempts = attempts
        self._farthest = position
        self._in_vain = self._refused = 0

    def pause_after(self, setback: Setback, position: int) -> float:
        """Seconds to wait after an attempt that ended at `position`; raises the setback's error after the last."""
        if position > self._farthest:
            self._in_vain, self._refused, self._farthest = 0, 0, position
        else:
            self._in_vain += 1
        self._refused += setback.tries is not None
        if self._in_vain >= self._attempts or self._refused >= (setback.tries or self._attempts):
            raise setback.error
        if setback.seconds is None:
            return _backed_off(self._in_vain)
        if setback.seconds > _LONGEST_ASKED_SECONDS:
            raise setback.error
        return setback.seconds


def pause(seconds: float, clock: Clock, cancel: Cancel | None) -> None:
    """Wait, in short naps; raises `Interrupted` between two of them."""
    until = clock.now() + seconds
    while (left := until - clock.now()) > 0:
        if cancel:
            cancel.check()
        clock.sleep(min(left, _GLANCE_SECONDS))


def _backed_off(count: int) -> float:
    """Twice as long each time, and never the same, so that many who failed together do not come back together."""
    return min(_FIRST_SECONDS * 2.0 ** max(0, count - 1), _LONGEST_SECONDS) * random.uniform(0.5, 1.0)
