"""What a model is asked, and what its answers mean: each objective against its own paper's terms."""

import math
from collections.abc import Sequence
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from inference.levels import EvenLogs, FlowTime
from inference.objectives import PREDICTIONS, Objective, objective
from inference.samplers import Options, known
from inference.schedules import AUTOMATIC, SCHEDULES, SigmaTable, sigmas
from modelhub.errors import BadValue
from modelhub.families import family
from tests.inference.samplers.gaussian import Noise, denoise, no_noise

SD1 = SigmaTable(family("sd1").noise)
TABLES = {
    "epsilon": SD1,
    "v": SigmaTable(family("sd1").noise, zero_snr=True),
    "edm": SigmaTable(EvenLogs(0.002, 80.0)),
    "edm_v": SigmaTable(EvenLogs(0.002, 120.0)),
    "flow": SigmaTable(FlowTime()),
}
X0, NOISE = (torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(seed)) for seed in (0, 1))


def answers(prediction: str, sigma: float) -> tuple[Tensor, Tensor, float]:
    """What a model that knows all sees, what it answers, and what it is told of the time; each from its paper."""
    abar = 1 / (1 + sigma**2)
    variance_kept = abar**0.5 * X0 + (1 - abar) ** 0.5 * NOISE
    v = abar**0.5 * NOISE - (1 - abar) ** 0.5 * X0
    if prediction == "flow":
        time = sigma / (1 + sigma)
        return (1 - time) * X0 + time * NOISE, NOISE - X0, 1000 * time
    if prediction == "edm":
        x, spread2 = X0 + sigma * NOISE, 0.5**2
        skip, out = spread2 / (sigma**2 + spread2), sigma * 0.5 / (sigma**2 + spread2) ** 0.5
        return x / (sigma**2 + spread2) ** 0.5, (X0 - skip * x) / out, math.log(sigma) / 4
    times = {"edm_v": math.log(sigma) / 4}
    return variance_kept, NOISE if prediction == "epsilon" else v, times.get(prediction, SD1.timestep(sigma))


@pytest.mark.parametrize("sigma", [0.05, 1.0, 14.0])
@pytest.mark.parametrize("prediction", PREDICTIONS)
def test_a_model_that_knows_all_is_asked_in_its_own_terms_and_gives_the_picture(prediction: str, sigma: float) -> None:
    table = SD1 if prediction in ("epsilon", "v") else TABLES[prediction]
    asked = objective(prediction, table)
    x = X0 + sigma * NOISE
    seen, answer, time = answers(prediction, sigma)

    torch.testing.assert_close(asked.scaled(x, sigma), seen, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(asked.x0(x, answer, sigma), X0, rtol=1e-4, atol=2e-5)
    assert asked.timestep(sigma) == pytest.approx(time, rel=1e-6)


def test_an_unknown_prediction_type_is_refused_with_the_known_ones() -> None:
    with pytest.raises(BadValue, match=r"'x0' is no prediction type \(epsilon, v, edm, edm_v, flow\)"):
        objective("x0", SD1)


def as_learned(asked: Objective, x: Tensor, sigma: float) -> Tensor:
    """x0 from a model that answers as the best guess of the data would have it."""
    kept, added = PREDICTIONS[asked.prediction](sigma)
    return asked.x0(x, (denoise(x, sigma) - x * kept) / added, sigma)


@pytest.mark.parametrize("prediction", PREDICTIONS)
def test_whatever_a_model_predicts_euler_takes_the_same_way(prediction: str) -> None:
    """In x0 and sigma all objectives are one: only their levels and terms differ."""
    asked, levels = objective(prediction, TABLES[prediction]), sigmas("Karras", SD1, 10)
    x = NOISE.double() * levels[0]

    *_, plain = known()["Euler"].sample(denoise, x, levels, no_noise(), Options())
    *_, learned = known()["Euler"].sample(_Learned(asked), x, levels, no_noise(), Options())

    torch.testing.assert_close(learned.x, plain.x, rtol=1e-9, atol=1e-9)


class _Learned:
    def __init__(self, asked: Objective) -> None:
        self.asked = asked

    def __call__(self, x: Tensor, sigma: float) -> Tensor:
        return as_learned(self.asked, x, sigma)


# Flows


def velocity(x: Tensor, time: float) -> Tensor:
    """u = noise - x0 as a flow learns it of normal data, at x_t = (1 - t) x0 + t * noise."""
    sigma = time / (1 - time)
    x0 = denoise(x / (1 - time), sigma)
    return (x / (1 - time) - x0) / sigma - x0


@pytest.mark.parametrize("schedule", ["Uniform", "Simple", "Karras", "Beta"])
def test_euler_is_euler_in_the_flows_own_time(schedule: str) -> None:
    levels = sigmas(schedule, TABLES["flow"], 12)
    times = [sigma / (1 + sigma) for sigma in levels]
    asked = objective("flow", TABLES["flow"])
    state = NOISE.double() * times[0]
    x = state / (1 - times[0])

    for time, following in pairwise(times):
        state = state + velocity(state, time) * (following - time)

    def model(x: Tensor, sigma: float) -> Tensor:
        seen = asked.scaled(x, sigma)
        return asked.x0(x, velocity(seen, asked.timestep(sigma) / 1000), sigma)

    *_, last = known()["Euler"].sample(model, x, levels, no_noise(), Options())  # type: ignore[arg-type]
    torch.testing.assert_close(last.x, state, rtol=1e-7, atol=1e-7)


def test_a_flow_begins_as_near_to_noise_alone_as_single_precision_bears() -> None:
    table = TABLES["flow"]
    first = table.largest / (3 + table.largest)

    assert first == pytest.approx(0.9999)
    seen = objective("flow", table).scaled(X0 + NOISE * table.largest, table.largest)
    assert (seen - NOISE).abs().max() < 1e-3


@pytest.mark.parametrize("shift", [1.0, 3.0, 6.0])
def test_shift_moves_a_flows_times_as_published(shift: float) -> None:
    """t' = s t / (1 + (s - 1) t) (Esser et al. 2024, equation 23)."""
    levels = SigmaTable(FlowTime(shift)).sigmas
    times = [level / (1 + level) for level in levels]

    assert times[499] == pytest.approx(shift * 0.5 / (1 + (shift - 1) * 0.5))
    assert times == sorted(times)


# Terminal signal and EDM's levels


def test_zero_terminal_snr_is_the_rescaling_of_lin_and_others() -> None:
    betas = torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float64) ** 2
    roots = torch.cumprod(1 - betas, dim=0).sqrt()
    first, last = roots[0].item(), roots[-1].item()
    kept = ((roots - last) * first / (first - last)) ** 2
    expected = ((1 - kept) / kept).sqrt().tolist()

    table = TABLES["v"]
    assert table.sigmas[:-1] == pytest.approx(expected[:-1], rel=1e-4)
    assert table.sigmas[0] == pytest.approx(SD1.sigmas[0], rel=1e-3)
    assert table.largest == pytest.approx(4518.76, rel=1e-5)


def test_at_zero_signal_v_answers_the_picture_itself() -> None:
    """There the model sees noise alone: v is -x0 (Lin et al. 2023, section 3.2)."""
    table = TABLES["v"]
    x = X0 + NOISE * table.largest

    torch.testing.assert_close(objective("v", table).x0(x, -X0, table.largest), X0, rtol=0, atol=2e-3)


def test_edms_levels_are_even_in_their_logarithms() -> None:
    table = TABLES["edm"]

    assert (table.smallest, table.largest) == pytest.approx((0.002, 80.0))
    assert table.sigma(499.5) == pytest.approx((0.002 * 80) ** 0.5)
    assert sigmas("Uniform", table, 3)[:3] == pytest.approx([80.0, 0.4, 0.002])
    assert sigmas("Karras", table, 18)[1] == pytest.approx(57.586, rel=1e-4)  # Karras et al. 2022, table 1


# Every sampler, every schedule, every objective


def runs(name: str) -> Sequence[str]:
    sampler = known()[name]
    return [AUTOMATIC] if sampler.only_grid else list(dict.fromkeys((sampler.default_schedule, *SCHEDULES)))


@pytest.mark.parametrize("prediction", PREDICTIONS)
@pytest.mark.parametrize("name", known())
def test_every_sampler_draws_with_every_schedule_and_objective(name: str, prediction: str) -> None:
    sampler, asked = known()[name], objective(prediction, TABLES[prediction])
    x = torch.randn(1, 16, generator=torch.Generator().manual_seed(0))
    for schedule in runs(name):
        for steps in (1, 2, 5, 20):
            levels = sampler.levels(schedule, asked.table, steps)
            begun = x * sampler.start(levels)
            ways = sampler.sample(sampler.asking(_Apart(asked), asked.table), begun, levels, Noise(x.shape), Options())
            *_, last = ways

            assert last.x.isfinite().all(), (schedule, steps)


class _Apart(_Learned):
    def apart(self, x: Tensor, sigma: float) -> tuple[Tensor, Tensor]:
        return self(x, sigma), self(x, sigma)
