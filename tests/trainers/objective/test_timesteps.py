"""Timesteps by lot: their ranges, and how often each falls, against the densities of the papers."""

import math
from collections.abc import Callable

import pytest
import torch

from modelhub.errors import BadValue
from trainers.objective import Timesteps
from trainers.recipe import NoiseOptions

DISTRIBUTIONS = ("uniform", "sigmoid", "logit_normal", "heavy_tail", "cosine", "inverted_parabola")
DRAWS = 3000


def shares(**options: object) -> torch.Tensor:
    """Drawn times of a flow, sorted, 0 to 1."""
    times = Timesteps(NoiseOptions.model_validate(options), 1000, flow=True)
    chance = torch.Generator().manual_seed(1)
    return torch.stack([times.draw(chance) for _ in range(DRAWS)]).double().sort().values / 1000


def farthest(found: torch.Tensor, share_below: Callable[[float], float]) -> float:
    """Kolmogorov and Smirnov's distance between draws and a distribution; by chance above 0.03 once in a hundred."""
    return max(abs(at / len(found) - share_below(one)) for at, one in enumerate(found.tolist()))


def integral(density: Callable[[float], float]) -> Callable[[float], float]:
    """The share below a place, by the midpoint rule."""
    cells = [density((cell + 0.5) / 500) for cell in range(500)]
    return lambda place: sum(cells[: round(place * 500)]) / sum(cells)


def test_uniform_draws_are_torchs() -> None:
    found = Timesteps(NoiseOptions(), 1000).draw(torch.Generator().manual_seed(3))

    assert found.equal(torch.randint(0, 1000, (), generator=torch.Generator().manual_seed(3)))


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_every_distribution_stays_within_its_range(distribution: str) -> None:
    options = NoiseOptions(smallest_timestep=20, largest_timestep=30, distribution=distribution)  # type: ignore[arg-type]
    chance = torch.Generator().manual_seed(0)
    found = [Timesteps(options, 1000).draw(chance) for _ in range(400)]

    assert {one.item() for one in found} == set(range(20, 30))
    assert {one.dtype for one in found} == {torch.int64}


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_a_flows_times_lie_between(distribution: str) -> None:
    found = shares(distribution=distribution)

    assert len(found.unique()) > DRAWS * 0.99
    assert 0 <= found[0] < 0.1
    assert 0.9 < found[-1] <= 1


def test_without_options_a_flows_times_are_even() -> None:
    assert farthest(shares(), lambda place: place) < 0.03


@pytest.mark.parametrize(("mean", "spread"), [(0.0, 1.0), (-0.5, 1.5)])
def test_logit_normal(mean: float, spread: float) -> None:
    """The logits of what is drawn are normal (Esser et al. 2024, equation 19)."""

    def below(place: float) -> float:
        logit = math.log(place / (1 - place))
        return (1 + math.erf((logit - mean) / spread / math.sqrt(2))) / 2

    assert farthest(shares(distribution="logit_normal", bias=mean, scale=spread), below) < 0.03


def test_cosine() -> None:
    """Density 2 / (pi - 2 pi t + 2 pi t^2) (equation 22)."""
    below = integral(lambda t: 2 / (math.pi - 2 * math.pi * t + 2 * math.pi * t * t))

    assert farthest(shares(distribution="cosine"), below) < 0.03


@pytest.mark.parametrize("scale", [0.5, 1.29])
def test_heavy_tail(scale: float) -> None:
    """f(u) = 1 - u - s (cos^2(pi u / 2) - 1 + u) of even u (equation 20), which falls from 1 to 0."""

    def below(place: float) -> float:
        low, high = 0.0, 1.0
        while high - low > 1e-6:
            u = (low + high) / 2
            f = 1 - u - scale * (math.cos(math.pi / 2 * u) ** 2 - 1 + u)
            low, high = (u, high) if f > place else (low, u)
        return 1 - low

    assert farthest(shares(distribution="heavy_tail", scale=scale)[::3], below) < 0.05


@pytest.mark.parametrize(("scale", "bias"), [(1.0, 0.0), (12.0, 0.2)])
def test_a_sigmoid_is_a_density(scale: float, bias: float) -> None:
    below = integral(lambda t: 1 / (1 + math.exp(-scale * (t - 0.5 - bias))))

    assert farthest(shares(distribution="sigmoid", scale=scale, bias=bias), below) < 0.03


@pytest.mark.parametrize(("scale", "bias"), [(1.0, 0.0), (7.0, 0.1)])
def test_an_inverted_parabola(scale: float, bias: float) -> None:
    below = integral(lambda t: max(0.0, 2 - scale * (t - 0.5 - bias) ** 2))

    assert farthest(shares(distribution="inverted_parabola", scale=scale, bias=bias), below) < 0.03


def test_a_shift_goes_to_where_there_is_noise() -> None:
    """t' = s t / (1 + (s - 1) t): below t' lies what lay below t' / (s - (s - 1) t')."""
    assert farthest(shares(shift=3.0), lambda place: place / (3 - 2 * place)) < 0.03


def test_whole_timesteps_are_shifted_too() -> None:
    chance = torch.Generator().manual_seed(0)
    found = [Timesteps(NoiseOptions(shift=3.0), 1000).draw(chance).item() for _ in range(1000)]

    assert 725 < sorted(found)[500] < 775


@pytest.mark.parametrize("ends", [{"largest_timestep": 1001}, {"smallest_timestep": 1000}])
def test_what_the_base_has_not_is_refused_naming_it(ends: dict[str, int]) -> None:
    with pytest.raises(BadValue, match="below 1000"):
        Timesteps(NoiseOptions.model_validate(ends), 1000)


def test_too_heavy_a_tail_is_refused() -> None:
    with pytest.raises(BadValue, match=r"at most 1\.75"):
        Timesteps(NoiseOptions(distribution="heavy_tail", scale=2.0), 1000)
