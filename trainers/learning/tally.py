"""Losses that are left on the device until there is a reason to look at them."""

import math
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor

from modelhub.jobs import Step

__all__ = ["Tally"]

_SMOOTHING = 0.95


@dataclass(eq=False)
class Tally:
    """What steps came to; reading it is the only time that a training waits for the device."""

    total: int
    """Steps of the training."""
    smoothed: float = 0.0
    spoilt: tuple[int, float] | None = None
    """The first step that was found to have no finite loss or gradients, and its loss."""
    told: deque[Step] = field(default_factory=deque)
    """Read, and not yet taken."""
    _noted: list[tuple[int, float, Tensor]] = field(default_factory=list)

    def note(self, step: int, rate: float, loss: Tensor, norm: Tensor, factor: Tensor | None) -> None:
        """Of a step (1 for the first); on the device: its loss, its gradients' norm, a factor of the rate, [] each."""
        factor = torch.ones_like(loss) if factor is None else factor
        self._noted.append((step, rate, torch.stack([loss.detach(), norm.to(loss.device), factor])))

    def read(self) -> None:
        """Wait for all that was noted."""
        if not self._noted:
            return
        noted, self._noted = self._noted, []
        values = torch.stack([one for _, _, one in noted]).tolist()
        for (step, rate, _), (loss, norm, factor) in zip(noted, values, strict=True):
            if not (math.isfinite(loss) and math.isfinite(norm)):
                self.spoilt = (step, loss if not math.isfinite(loss) else norm)
                return
            self.smoothed = _SMOOTHING * self.smoothed + (1 - _SMOOTHING) * loss
            self.told.append(Step(step, self.total, loss, self.smoothed / (1 - _SMOOTHING**step), rate * factor))

    def take(self) -> Iterator[Step]:
        """What was read and not yet taken, in order."""
        while self.told:
            yield self.told.popleft()

    def go_back(self, smoothed: float, told: Iterable[Step]) -> None:
        """To an earlier state."""
        self.smoothed, self.spoilt, self._noted, self.told = smoothed, None, [], deque(told)
