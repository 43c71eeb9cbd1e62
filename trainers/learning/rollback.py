"""States in memory that a training goes back to when its loss is no number any more."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Rollback"]

_EVERY = 25
"""Steps between states."""
_PATIENCE = 4
"""Times that a training goes back before it gives up, less one."""


@dataclass(eq=False)
class Rollback:
    """The last states: the newest one, and the one before until a loss that follows has proved the newest."""

    fits: bool
    """Whether there is memory for them."""
    _states: list[dict[str, Any]] = field(default_factory=list)
    _times: int = 0

    def keep(self, step: int, state: Callable[[], dict[str, Any]]) -> None:
        """Keep the state after a step, where the last one is old enough."""
        if self.fits and (not self._states or step - self._states[-1]["step"] >= _EVERY):
            self._states = [*self._states[-1:], deepcopy(state())]

    def before(self, step: int) -> tuple[dict[str, Any] | None, bool]:
        """The state to go back to from a step that was spoilt, and whether there is hope in going on from it.

        There is none where the very first step after it was the spoilt one, or after many tries.
        """
        self._times += 1
        proved = [one for one in self._states if one["step"] < step - 1]
        found = (proved or self._states)[-1:]
        self._states = proved[-1:]
        return deepcopy(found[0]) if found else None, bool(proved) and self._times < _PATIENCE
