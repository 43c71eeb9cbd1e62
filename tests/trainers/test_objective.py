"""What the denoiser is asked for, against numbers worked out by hand and against how it is asked when drawing."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from inference import objectives as drawing
from inference.schedules import SigmaTable
from modelhub.errors import BadValue
from modelhub.families import family
from trainers.objective import TARGETS, Objective

SIGMAS = torch.tensor([0.5, 0.75, 2.0])
"""abar = 1 / (1 + sigma^2): 0.8, 0.64 and 0.2; snr = 1 / sigma^2: 4, 16/9 and 0.25."""
LATENTS = torch.full((2, 4, 2, 2), 10.0)
NOISE = torch.full((2, 4, 2, 2), -5.0)
TIMES = torch.tensor([1, 2])


def objective(prediction: str = "epsilon", gamma: float | None = None) -> Objective:
    return Objective(prediction, SIGMAS, gamma)


def test_noised_latents_are_shares_that_square_to_one() -> None:
    noised = objective().noised(LATENTS, NOISE, TIMES)

    first, second = noised[:, 0, 0, 0].tolist()
    assert first == pytest.approx(0.8 * 10 + 0.6 * -5)
    assert second == pytest.approx(0.2**0.5 * 10 + 0.8**0.5 * -5)
    assert (noised == noised[:, :1, :1, :1]).all()


def test_epsilon_asks_for_the_noise() -> None:
    assert objective().losses(NOISE, LATENTS, NOISE, TIMES).mean().item() == 0.0
    assert objective().losses(NOISE + 3, LATENTS, NOISE, TIMES).mean().item() == pytest.approx(9.0)


def test_v_asks_for_the_velocity() -> None:
    velocity = torch.stack(
        [torch.full((4, 2, 2), 0.8 * -5 - 0.6 * 10), torch.full((4, 2, 2), 0.2**0.5 * -5 - 0.8**0.5 * 10)]
    )

    assert objective("v").losses(velocity, LATENTS, NOISE, TIMES).mean().item() == pytest.approx(0.0, abs=1e-9)
    assert objective("v").losses(velocity + 3, LATENTS, NOISE, TIMES).mean().item() == pytest.approx(9.0)


@pytest.mark.parametrize(
    ("prediction", "expected"), [("epsilon", [1 / 4, 9 / 16, 1.0]), ("v", [1 / 5, 9 / 25, 0.25 / 1.25])]
)
def test_min_snr_caps_the_weight_of_nearly_clean_samples(prediction: str, expected: list[float]) -> None:
    weights = objective(prediction, gamma=1.0).weights(torch.tensor([0, 1, 2]))

    assert weights.tolist() == pytest.approx(expected)


def test_a_gamma_above_every_snr_leaves_epsilon_as_it_is() -> None:
    assert objective(gamma=5.0).weights(torch.tensor([0, 1, 2])).tolist() == pytest.approx([1, 1, 1])


@pytest.mark.parametrize("prediction", TARGETS)
def test_without_gamma_all_weigh_alike(prediction: str) -> None:
    assert objective(prediction).weights(torch.tensor([0, 2])).tolist() == [1, 1]


def test_the_loss_weighs_each_sample_by_its_own_timestep() -> None:
    output = NOISE.clone()
    output[0] += 1
    output[1] += 2

    losses = objective(gamma=1.0).losses(output, LATENTS, NOISE, TIMES)
    assert losses.mean().item() == pytest.approx((9 / 16 * 1 + 1.0 * 4) / 2)


def test_the_loss_is_worked_out_in_float32() -> None:
    output = (NOISE + 300).half()

    assert objective().losses(output, LATENTS, NOISE, TIMES).mean().item() == pytest.approx(90_000)


def test_an_unknown_prediction_is_refused_naming_the_known_ones() -> None:
    with pytest.raises(BadValue, match=r"'flow' \(epsilon, v\)"):
        objective("flow")


@pytest.mark.parametrize("timestep", [0, 500, 999])
@pytest.mark.parametrize("prediction", TARGETS)
def test_a_model_that_meets_its_target_draws_the_latents_back(prediction: str, timestep: int) -> None:
    """Training and drawing agree: x0 comes out of the sampler's formula when the target goes in."""
    table = SigmaTable(family("sd1").noise)
    sigma = table.sigmas[timestep]
    trained = Objective(prediction, torch.tensor(table.sigmas), None)
    generator = torch.Generator().manual_seed(0)
    x0, noise = (torch.randn(1, 4, 8, 8, generator=generator) for _ in range(2))
    signal = (1 + sigma**2) ** -0.5

    target = _target(TARGETS[prediction], x0, noise, signal, sigma * signal)
    seen = trained.noised(x0, noise, torch.tensor([timestep]))
    found = drawing.objective(prediction, table).x0(
        seen / signal, target, sigma
    )  # the sampler's x is x0 + sigma * noise

    torch.testing.assert_close(found, x0, rtol=0, atol=2e-4)


def _target(rule: Callable[..., Tensor], x0: Tensor, noise: Tensor, signal: float, spread: float) -> Tensor:
    return rule(x0, noise, torch.tensor(signal), torch.tensor(spread))
