"""Two models in one pass: when the second takes over, and what it draws."""

import pytest
import torch
from torch import Tensor

from inference.relay import Relay, share_over
from inference.samplers import find
from inference.schedules import SigmaTable
from modelhub.families import NoiseSchedule

TABLE = SigmaTable(NoiseSchedule(beta_start=0.00085, beta_end=0.012, timesteps=1000))


class Told:
    """A denoiser that notes the levels it is asked at."""

    def __init__(self) -> None:
        self.asked: list[float] = []

    def __call__(self, x: Tensor, sigma: float) -> Tensor:
        return self.apart(x, sigma)[0]

    def apart(self, x: Tensor, sigma: float) -> tuple[Tensor, Tensor]:
        self.asked.append(sigma)
        return x, x


@pytest.mark.parametrize(("timestep", "share"), [(999, 0.0), (199, 0.8), (200, 0.799), (0, 0.999)])
def test_the_share_of_the_time_is_counted_in_timesteps(timestep: int, share: float) -> None:
    assert share_over(TABLE, TABLE.sigmas[timestep]) == pytest.approx(share)


def test_between_two_levels_the_nearer_one_counts() -> None:
    low, high = TABLE.sigmas[500], TABLE.sigmas[501]

    assert share_over(TABLE, low + 0.4 * (high - low)) == share_over(TABLE, low)
    assert share_over(TABLE, low + 0.6 * (high - low)) == share_over(TABLE, high)


@pytest.mark.parametrize(("schedule", "switched"), [("Uniform", 16), ("Karras", 12)])
def test_the_second_takes_over_at_the_first_level_below_the_share(schedule: str, switched: int) -> None:
    """Uniform levels of 20 steps lie at 999, 946.4, ...: the 17th, at 157.7, is the first at or below 199."""
    first, second = Told(), Told()
    relay = Relay(first, lambda: second, TABLE, 0.8)
    levels = find("Euler")[0].levels(schedule, TABLE, 20)[:-1]

    for sigma in levels:
        relay(torch.zeros(1), sigma)

    assert (first.asked, second.asked) == (levels[:switched], levels[switched:])
    assert TABLE.timestep(levels[switched]) <= 199.5 < TABLE.timestep(levels[switched - 1])


def test_who_took_over_stays_even_where_the_noise_grows_again() -> None:
    first, second = Told(), Told()
    relay = Relay(first, lambda: second, TABLE, 0.8)

    for sigma in (10.0, 0.2, 10.0):
        relay.apart(torch.zeros(1), sigma)

    assert (first.asked, second.asked) == ([10.0], [0.2, 10.0])
