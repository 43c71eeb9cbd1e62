from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import Tensor

from inference.samplers import Options, known
from inference.schedules import SigmaTable, sigmas
from modelhub.families import family
from tests.inference.samplers.gaussian import denoise, flow, no_noise

TABLE = SigmaTable(family("sd1").noise)


def run(levels: Sequence[float], x: Tensor) -> Tensor:
    for step in known()["DPM++ 2M"].sample(denoise, x, levels, no_noise(), Options()):
        x = step.x
    return x


def algorithm_2(x: Tensor, levels: Sequence[float]) -> Tensor:
    """DPM-Solver++(2M) as Lu et al. 2022 print it (Algorithm 2), in their variance-preserving terms and float64.

    There x_t = alpha_t x0 + sigma_t noise with alpha^2 + sigma^2 = 1, lambda = log(alpha / sigma) and r = h_prev / h.
    The closing step to no noise at all is its limit: the guess itself.
    """
    noise_to_signal = np.asarray(levels[:-1], dtype=np.float64)
    alphas = 1 / np.sqrt(1 + noise_to_signal**2)
    stds = noise_to_signal * alphas
    lambdas = np.log(alphas / stds)

    def x_theta(at: int, scaled: np.ndarray) -> np.ndarray:
        return denoise(torch.from_numpy(scaled / alphas[at]), float(noise_to_signal[at])).numpy()

    state = x.double().numpy() * alphas[0]
    older = x_theta(0, state)
    for i in range(1, len(alphas)):
        h = lambdas[i] - lambdas[i - 1]
        if i == 1:
            d = older
        else:
            r = (lambdas[i - 1] - lambdas[i - 2]) / h
            newer = x_theta(i - 1, state)
            d = (1 + 1 / (2 * r)) * newer - 1 / (2 * r) * older
            older = newer
        state = stds[i] / stds[i - 1] * state - alphas[i] * (np.exp(-h) - 1) * d
    return torch.from_numpy(x_theta(len(alphas) - 1, state))


@pytest.mark.parametrize("schedule", ["Karras", "Uniform"])
@pytest.mark.parametrize("steps", [2, 5, 20])
def test_it_is_the_published_update_rule(schedule: str, steps: int) -> None:
    levels = sigmas(schedule, TABLE, steps)
    x = torch.randn(4, 8, 8, generator=torch.Generator().manual_seed(0)) * levels[0]

    expected = algorithm_2(x, levels)

    torch.testing.assert_close(run(levels, x).double(), expected, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(run(levels, x.double()), expected, rtol=1e-9, atol=1e-9)


def test_twice_the_steps_leave_a_fourth_of_the_error() -> None:
    """Second order, down to the last noise level: the closing step to zero is the guess itself."""
    x = torch.randn(64, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * TABLE.largest

    errors = [_error_before_the_closing_step(steps, x) for steps in (10, 20, 40, 80, 160)]

    assert all(3 < coarser / finer < 5 for coarser, finer in pairwise(errors)), errors
    assert errors[-1] < 1e-3


def _error_before_the_closing_step(steps: int, x: Tensor) -> float:
    levels = sigmas("Karras", TABLE, steps)
    *_, before, _ = known()["DPM++ 2M"].sample(denoise, x, levels, no_noise(), Options())
    return (before.x - flow(x, levels[0], levels[-2])).abs().max().item()


def test_one_step_is_the_guess_itself() -> None:
    x = torch.randn(4, 8, 8) * TABLE.largest

    torch.testing.assert_close(run(sigmas("Karras", TABLE, 1), x), denoise(x, TABLE.largest))
