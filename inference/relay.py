"""One model for the first noise levels, another for the last (webui: Refiner)."""

from collections.abc import Callable

from torch import Tensor

from inference.samplers import Denoise
from inference.schedules import SigmaTable

__all__ = ["Relay", "share_over"]


class Relay:
    """A denoiser that another one takes the place of, for good, at the first call whose noise level is low enough."""

    def __init__(self, first: Denoise, following: Callable[[], Denoise], table: SigmaTable, switch_at: float) -> None:
        """`following` is asked for when its turn comes; `switch_at` is the share of the time that is over then."""
        self._now = first
        self._following: Callable[[], Denoise] | None = following
        self._table = table
        self._switch_at = switch_at

    def __call__(self, x: Tensor, sigma: float) -> Tensor:
        return self._at(sigma)(x, sigma)

    def apart(self, x: Tensor, sigma: float) -> tuple[Tensor, Tensor]:
        """The guess, and that of the negative prompt alone."""
        return self._at(sigma).apart(x, sigma)

    def _at(self, sigma: float) -> Denoise:
        if self._following and share_over(self._table, sigma) >= self._switch_at:
            self._now, self._following = self._following(), None
        return self._now


def share_over(table: SigmaTable, sigma: float) -> float:
    """How much of the time is over at a noise level, by the timestep whose sigma is nearest to it."""
    distances = [abs(one - sigma) for one in table.sigmas]
    last = len(distances) - 1
    return (last - distances.index(min(distances))) / len(distances)
