"""The samplers that look back over several steps or choose their own, against diffusers and against their papers."""

import math
from collections.abc import Sequence
from itertools import pairwise

import pytest
import torch
from diffusers import HeunDiscreteScheduler, LMSDiscreteScheduler, UniPCMultistepScheduler
from torch import Tensor

from inference.samplers import Options, known
from inference.schedules import AUTOMATIC, SigmaTable
from modelhub.families import family
from tests.inference.samplers.gaussian import Noise, denoise, no_noise

TABLE = SigmaTable(family("sd1").noise)
START = torch.randn(1, 1, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def eps(x: Tensor, sigma: float) -> Tensor:
    return (x - denoise(x, sigma)) / sigma


def near(ours: Tensor, expected: Tensor) -> bool:
    return bool((ours - expected).norm() / expected.norm() < 1e-5)


def diffused(scheduler: object, levels: Sequence[float], x: Tensor, *, preserving: bool = False) -> Tensor:
    """diffusers' steps at our very levels; those of its own are rounded. `preserving` says in which terms x is."""
    scheduler.set_timesteps(len(levels) - 1)
    first, *middle, last = levels
    middle = [one for one in middle for _ in range(scheduler.order)]
    scheduler.sigmas = torch.tensor([first, *middle, last], dtype=torch.float64)
    for at, timestep in enumerate(scheduler.timesteps):
        scheduler.scale_model_input(x, timestep)
        sigma = float(scheduler.sigmas[at])
        seen = x * math.hypot(sigma, 1.0) if preserving else x
        x = scheduler.step(eps(seen, sigma), timestep, x).prev_sample
    return x


def run(name: str, levels: Sequence[float], options: Options = Options(), draw: object = None) -> Tensor:  # noqa: B008
    start = START * known()[name].start(levels)
    *_, last = known()[name].sample(denoise, start, levels, draw or no_noise(), options)
    return last.x


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("steps", [1, 2, 5, 20])
@pytest.mark.parametrize(("name", "kind"), [("LMS", LMSDiscreteScheduler), ("Heun", HeunDiscreteScheduler)])
def test_it_is_diffusers_rule_at_the_same_levels(name: str, kind: type, steps: int) -> None:
    pytest.importorskip("scipy")
    levels = known()[name].levels("Karras", TABLE, steps)

    assert near(run(name, levels), diffused(kind(), levels, START * levels[0]))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("steps", [3, 5, 20, 50])
def test_unipc_is_its_authors_rule_at_the_same_levels(steps: int) -> None:
    levels = known()["UniPC"].levels(AUTOMATIC, TABLE, steps)

    theirs = diffused(UniPCMultistepScheduler(solver_type="bh1", solver_order=3), levels, START, preserving=True)

    assert near(run("UniPC", levels), theirs)


@pytest.mark.parametrize("churn", [0.0, 3.0, 40.0])
@pytest.mark.parametrize("steps", [1, 5, 20])
def test_heun_is_algorithm_2_of_its_paper(churn: float, steps: int) -> None:
    """Karras et al. 2022."""
    levels = known()["Heun"].levels("Karras", TABLE, steps)
    x, noise = START * levels[0], Noise(START.shape, START.dtype)
    for sigma, following in pairwise(levels):
        gamma = min(churn / steps, math.sqrt(2) - 1) if 0.1 <= sigma <= 10 else 0.0
        raised = sigma + gamma * sigma
        x = x + math.sqrt(raised**2 - sigma**2) * 0.9 * (noise() if churn else 0.0)
        d = eps(x, raised)
        there = x + (following - raised) * d
        x = there if following == 0 else x + (following - raised) * (d + eps(there, following)) / 2

    options = Options(churn=churn, churn_from=0.1, churn_to=10.0, noise=0.9)
    assert near(run("Heun", levels, options, Noise(START.shape, START.dtype)), x)


def solved(x: Tensor, t: float, to: float) -> tuple[Tensor, Tensor]:
    """DPM-Solver of orders 2 (with r1 = 1/3) and 3 (Lu et al. 2022, algorithms 4 and 2) in t = -ln sigma."""
    h, e = to - t, eps(x, math.exp(-t))
    s1, s2 = t + h / 3, t + 2 * h / 3
    e1 = eps(x - math.exp(-s1) * math.expm1(h / 3) * e, math.exp(-s1))
    bend = 2 * math.exp(-s2) * (math.expm1(2 * h / 3) / (2 * h / 3) - 1) * (e1 - e)
    e2 = eps(x - math.exp(-s2) * math.expm1(2 * h / 3) * e - bend, math.exp(-s2))
    first = x - math.exp(-to) * math.expm1(h) * e
    second = first - math.exp(-to) / (2 / 3) * math.expm1(h) * (e1 - e)
    return second, first - math.exp(-to) / (2 / 3) * (math.expm1(h) / h - 1) * (e2 - e)


def adaptive(x: Tensor, t: float, end: float, eta: float, noise: Noise) -> tuple[Tensor, int]:
    """k-diffusion's controller with its defaults; also how many steps it threw away."""
    h, accepted, refused = 0.05, x, 0
    while t < end - 1e-5:
        following = min(end, t + h)
        sigma, next_sigma = math.exp(-t), math.exp(-following)
        up = min(next_sigma, eta * math.sqrt(next_sigma**2 * (sigma**2 - next_sigma**2) / sigma**2))
        to = min(end, -math.log(math.sqrt(next_sigma**2 - up**2)))
        low, high = solved(x, t, to)
        delta = torch.maximum(torch.tensor(0.0078), 0.05 * torch.maximum(low.abs(), accepted.abs()))
        error = float(torch.linalg.norm((low - high) / delta)) / x.numel() ** 0.5
        factor = 1 + math.atan((1 / (error + 1e-8)) ** (1 / (1.5 if eta else 3)) - 1)
        h *= factor
        if factor < 0.81:
            refused += 1
            continue
        x = high + 0.9 * math.sqrt(max(next_sigma**2 - math.exp(-to) ** 2, 0.0)) * noise()
        accepted, t = low, following
    return x, refused


@pytest.mark.parametrize("eta", [0.0, 0.6, 1.0])
def test_dpm_adaptive_takes_the_steps_of_the_published_controller(eta: float) -> None:
    levels = known()["DPM adaptive"].levels(AUTOMATIC, TABLE, 20)

    way = (-math.log(levels[0]), -math.log(levels[-1]))
    expected, refused = adaptive(START * levels[0], *way, eta, Noise(START.shape, START.dtype))

    ours = run("DPM adaptive", levels, Options(eta=eta, noise=0.9), Noise(START.shape, START.dtype))
    assert near(ours, expected)
    assert refused or eta < 1
