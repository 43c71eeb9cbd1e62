"""Each sampler against its published rule, written again from the paper in other terms, or against another's code."""

import math
from collections.abc import Sequence
from itertools import pairwise

import pytest
import torch
from diffusers import DDIMScheduler, HeunDiscreteScheduler, LMSDiscreteScheduler, UniPCMultistepScheduler
from torch import Tensor

from inference.samplers import Options, known
from inference.samplers.dpm_fast import orders_of
from inference.samplers.lms import weight
from inference.samplers.restart import gaps
from inference.schedules import AUTOMATIC, SigmaTable
from modelhub.families import family
from tests.inference.samplers.gaussian import Noise, denoise, flow, no_noise

TABLE = SigmaTable(family("sd1").noise)
BETAS = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
START = torch.randn(64, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def run(name: str, levels: Sequence[float], x: Tensor, options: Options = Options(), draw: object = None) -> Tensor:  # noqa: B008
    *_, last = known()[name].sample(denoise, x, levels, draw or no_noise(), options)
    return last.x


def levels_of(name: str, steps: int, schedule: str = "Karras") -> list[float]:
    sampler = known()[name]
    return sampler.levels(AUTOMATIC if sampler.only_grid else schedule, TABLE, steps)


ORDERS = {"Euler": 1, "Heun": 2, "DPM2": 2, "LMS": 3, "DPM++ 2S a": 2, "DPM fast": 2, "DPM++ 2M SDE": 2,
          "DPM++ 2M SDE Heun": 2, "DPM++ 3M SDE": 2, "DPM2 a": 2, "Euler a": 1, "DPM++ SDE": 2, "UniPC": 2}  # fmt: skip
"""What is left of the order after the lower ones that a method begins or ends with."""


@pytest.mark.parametrize(("name", "order"), ORDERS.items())
def test_without_fresh_noise_the_error_falls_with_the_order_of_the_method(name: str, order: int) -> None:
    errors = [_error(name, steps) for steps in (81, 162)]

    assert errors[0] / errors[1] > 2 ** (order - 0.45), errors
    assert errors[1] < 2e-2


def _error(name: str, steps: int) -> float:
    """Against the exact flow between two levels, in steps even in ln sigma."""
    levels = [math.exp(math.log(10.0) * (1 - 2 * at / steps)) for at in range(steps + 1)]
    reached = run(name, levels, START * 10.0, Options(eta=0.0), Noise(START.shape, START.dtype))
    reached = reached * math.hypot(levels[-1], 1.0) if name == "UniPC" else reached
    return (reached - flow(START * 10.0, levels[0], levels[-1])).abs().max().item()


def _theirs(scheduler: object, x: Tensor) -> Tensor:
    """A scheduler of diffusers over the same data, its model told the noise."""
    for timestep in scheduler.timesteps:
        scheduler.scale_model_input(x, timestep)
        at = scheduler.step_index
        sigma = float(scheduler.sigmas[at])
        x = scheduler.step((x - denoise(x, sigma)) / sigma, timestep, x).prev_sample
    return x


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(("name", "kind"), [("LMS", LMSDiscreteScheduler), ("Heun", HeunDiscreteScheduler)])
@pytest.mark.parametrize("karras", [False, True])
def test_it_equals_diffusers(name: str, kind: type, karras: bool) -> None:
    pytest.importorskip("scipy")
    scheduler = kind(**BETAS, use_karras_sigmas=karras, timestep_spacing="linspace")
    scheduler.set_timesteps(20)
    levels = levels_of(name, 20, "Karras" if karras else "Uniform")

    ours = run(name, levels, START * levels[0])

    torch.testing.assert_close(_theirs(scheduler, START * levels[0]), ours, rtol=2e-5, atol=2e-5)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("eta", [0.0, 1.0])
def test_ddim_equals_diffusers_but_for_its_last_step(eta: float) -> None:
    options = {"timestep_spacing": "leading", "steps_offset": 1, "set_alpha_to_one": False, "clip_sample": False}
    scheduler = DDIMScheduler(**BETAS, **options)
    scheduler.set_timesteps(20)
    noise = Noise(START.shape, START.dtype)
    x = START
    for timestep in scheduler.timesteps[:-1]:
        sigma = TABLE.sigmas[int(timestep)]
        kept = 1 / math.hypot(sigma, 1.0)
        eps = (x / kept - denoise(x / kept, sigma)) / sigma
        x = scheduler.step(eps, timestep, x, eta=eta, variance_noise=noise() if eta else None).prev_sample

    sampler, levels = known()["DDIM"], levels_of("DDIM", 20)
    ours = run("DDIM", levels, START * sampler.start(levels), Options(eta=eta), Noise(START.shape, START.dtype))

    assert len(levels) == 20
    torch.testing.assert_close(ours, x, rtol=1e-5, atol=1e-5)


def test_ddim_cfgpp_puts_back_the_noise_of_the_negative_prompt() -> None:
    class Apart:
        def apart(self, x: Tensor, sigma: float) -> tuple[Tensor, Tensor]:
            return denoise(x, sigma) + 0.1, denoise(x, sigma)

    levels = levels_of("DDIM CFG++", 10)
    expected = START * levels[0]
    for sigma, following in pairwise(levels):
        alpha, alpha_next = 1 / (1 + sigma**2), 1 / (1 + following**2)
        scaled = expected * alpha**0.5
        guided = (scaled - alpha**0.5 * (denoise(expected, sigma) + 0.1)) / (1 - alpha) ** 0.5
        unguided = (scaled - alpha**0.5 * denoise(expected, sigma)) / (1 - alpha) ** 0.5
        x0 = (scaled - (1 - alpha) ** 0.5 * guided) / alpha**0.5
        expected = (alpha_next**0.5 * x0 + (1 - alpha_next) ** 0.5 * unguided) / alpha_next**0.5

    *_, last = known()["DDIM CFG++"].sample(Apart(), START * levels[0], levels, no_noise(), Options())

    torch.testing.assert_close(last.x, expected / math.hypot(levels[-1], 1.0))


def test_plms_steps_are_those_of_adams_and_bashforth() -> None:
    levels = levels_of("PLMS", 10)
    x, past = START * levels[0], []
    for index, (sigma, following) in enumerate(pairwise(levels)):
        past.insert(0, (x - denoise(x, sigma)) / sigma)
        if index == 0:
            there = x + past[0] * (following - sigma)
            eps = (past[0] + (there - denoise(there, following)) / following) / 2
        elif index == 1:
            eps = (3 * past[0] - past[1]) / 2
        elif index == 2:
            eps = (23 * past[0] - 16 * past[1] + 5 * past[2]) / 12
        else:
            eps = (55 * past[0] - 59 * past[1] + 37 * past[2] - 9 * past[3]) / 24
        x = x + eps * (following - sigma)

    torch.testing.assert_close(run("PLMS", levels, START * levels[0]), x / math.hypot(levels[-1], 1.0))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_unipc_is_near_diffusers_whose_timesteps_are_whole() -> None:
    scheduler = UniPCMultistepScheduler(**BETAS, solver_type="bh1", solver_order=3, final_sigmas_type="sigma_min")
    scheduler.set_timesteps(20)
    sampler, levels = known()["UniPC"], levels_of("UniPC", 20)
    x = START.float().view(1, 1, 8, 8)
    for timestep in scheduler.timesteps:
        sigma = TABLE.sigma(float(timestep))
        scaled = x * math.hypot(sigma, 1.0)
        x = scheduler.step((scaled - denoise(scaled, sigma)) / sigma, timestep, x).prev_sample

    ours = run("UniPC", levels, START * sampler.start(levels))

    torch.testing.assert_close(ours.float(), x.flatten(), rtol=5e-3, atol=5e-3)


@pytest.mark.parametrize(("steps", "made"), [(7, 8), (22, 23), (20, 20), (1, 1)])
def test_unipc_makes_the_steps_that_webui_makes(steps: int, made: int) -> None:
    levels = levels_of("UniPC", steps)

    assert len(levels) - 1 == made
    assert (levels[0], levels[-1]) == pytest.approx((TABLE.largest, TABLE.smallest))


def test_the_timesteps_of_unipc_are_webuis() -> None:
    assert [TABLE.timestep(level) for level in levels_of("UniPC", 20)[:2]] == pytest.approx([999, 949.05], abs=0.05)


@pytest.mark.parametrize("name", ["DPM++ 2M SDE", "DPM++ 2M SDE Heun", "DPM++ 3M SDE"])
def test_a_first_sde_step_is_exact_for_a_constant_guess(name: str) -> None:
    class Constant:
        def __call__(self, x: Tensor, sigma: float) -> Tensor:
            return torch.full_like(x, 0.3)

    first = next(
        iter(known()[name].sample(Constant(), START, [4.0, 1.0, 0.0], Noise(START.shape, START.dtype), Options()))
    )

    # the exact solution of dx = 2 (x - D) dsigma / sigma + sqrt(2 sigma) dw, backwards in sigma
    noise = Noise(START.shape, START.dtype)()
    torch.testing.assert_close(first.x, 0.3 + (START - 0.3) / 16 + noise * (1 - 1 / 16) ** 0.5)


def test_lcm_asks_at_the_timesteps_that_it_was_distilled_on() -> None:
    asked: list[float] = []

    class Asked:
        def __call__(self, x: Tensor, sigma: float) -> Tensor:
            asked.append(TABLE.timestep(sigma))
            return denoise(x, sigma)

    sampler, x = known()["LCM"], START
    levels = sampler.levels(AUTOMATIC, TABLE, 4)
    list(sampler.sample(sampler.asking(Asked(), TABLE), x * levels[0], levels, Noise(x.shape, x.dtype), Options()))

    assert asked == pytest.approx([999, 679, 339, 19])


@pytest.mark.parametrize(("steps", "ups"), [(19, 0), (20, 1), (35, 1), (36, 2), (50, 2)])
def test_restart_goes_up_again_within_the_steps_it_was_given(steps: int, ups: int) -> None:
    way = gaps(levels_of("Restart", steps))

    jumps = [(before[1], after[0]) for before, after in pairwise(way) if after[0] > before[1]]
    assert len(way) == steps
    assert len(jumps) == ups
    assert all(low == pytest.approx(0.1, rel=0.7) and high == pytest.approx(2.0, rel=0.5) for low, high in jumps)


@pytest.mark.parametrize(("calls", "orders"), [(1, [1]), (2, [2]), (3, [2, 1]), (5, [3, 2]), (6, [3, 2, 1])])
def test_dpm_fast_spends_the_calls_it_was_given(calls: int, orders: list[int]) -> None:
    assert orders_of(calls) == orders


def test_dpm_adaptive_follows_the_flow_without_noise() -> None:
    levels = levels_of("DPM adaptive", 20)
    taken = list(
        known()["DPM adaptive"].sample(denoise, START * levels[0], levels, Noise(START.shape), Options(eta=0.0))
    )

    exact = flow(START * levels[0], levels[0], levels[-1])
    assert (taken[-1].x - exact).abs().max() < 0.1
    assert [step.index for step in taken] == sorted(step.index for step in taken)


def test_the_weights_of_lms_integrate_polynomials_exactly() -> None:
    nodes, end = [3.0, 4.0, 6.0, 7.0], 2.0

    for power in range(4):
        integral = sum(weight(nodes, at, end) * node**power for at, node in enumerate(nodes))
        assert integral == pytest.approx((end ** (power + 1) - nodes[0] ** (power + 1)) / (power + 1))


@pytest.mark.parametrize("name", ["Euler", "Heun", "DPM2"])
def test_churn_adds_noise_only_between_its_bounds(name: str) -> None:
    levels, x = levels_of(name, 10), START * TABLE.largest

    plain = run(name, levels, x)
    outside = run(name, levels, x, Options(churn=10.0, churn_to=0.001), Noise(x.shape, x.dtype))
    inside = run(name, levels, x, Options(churn=10.0), Noise(x.shape, x.dtype))

    assert torch.equal(plain, outside)
    assert not torch.allclose(plain, inside)
