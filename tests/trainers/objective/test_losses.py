"""Squares, sizes and what lies between, against numbers worked out by hand and sd-scripts' formulas."""

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from trainers.objective.losses import errors, huber_c
from trainers.recipe import LossOptions

ANSWERS, TARGETS = torch.randn(2, 3, 4, 4, 4, generator=torch.Generator().manual_seed(0)).unbind()
COURSE = torch.tensor([0.0, 0.25, 0.999])
SIGMAS = torch.tensor([0.03, 1.0, 14.6])


def turns(**options: object) -> Tensor:
    signal = (SIGMAS**2 + 1).rsqrt()
    return huber_c(COURSE, signal, SIGMAS * signal, LossOptions.model_validate(options))


def wide(*numbers: float) -> Tensor:
    return torch.tensor(numbers)[:, None, None, None]


def test_squares_and_sizes_are_torchs() -> None:
    assert (errors(ANSWERS, TARGETS, None, "l2") == F.mse_loss(ANSWERS, TARGETS, reduction="none")).all()
    assert (errors(ANSWERS, TARGETS, None, "l1") == F.l1_loss(ANSWERS, TARGETS, reduction="none")).all()


@pytest.mark.parametrize(
    ("kind", "apart", "expected"),
    [
        ("huber", 0.0, 0.0),
        ("huber", 0.75, 2 * 1.0 * (1.25 - 1)),
        ("huber", 2.4, 2 * 1.0 * (2.6 - 1)),
        ("smooth_l1", 0.75, 2 * (1.25 - 1)),
        ("smooth_l1", -2.4, 2 * (2.6 - 1)),
    ],
)
def test_hubers_losses_are_those_of_right_triangles(kind: str, apart: float, expected: float) -> None:
    """sqrt(0.75^2 + 1) is 1.25, sqrt(2.4^2 + 1) is 2.6."""
    found = errors(wide(apart), wide(0.0), wide(1.0), kind)

    assert found.item() == pytest.approx(expected, abs=1e-6)


def test_each_sample_has_its_own_turn() -> None:
    c = (0.1, 1.0, 5.0)

    found = errors(ANSWERS, TARGETS, wide(*c), "huber")
    for row, turn in enumerate(c):
        one = errors(ANSWERS[row : row + 1], TARGETS[row : row + 1], wide(turn), "huber")
        assert (found[row] == one[0]).all()


def test_huber_near_its_target_is_the_square() -> None:
    near = TARGETS + 1e-3 * (ANSWERS - TARGETS)

    found = errors(near, TARGETS, wide(10.0, 10.0, 10.0), "huber")
    torch.testing.assert_close(found, (near - TARGETS).square(), rtol=1e-5, atol=1e-12)


@pytest.mark.parametrize("c", [0.01, 0.1, 3.0])
def test_they_are_sd_scripts_formulas(c: float) -> None:
    apart = (ANSWERS - TARGETS).double()
    triangles = 2 * ((apart**2 + c**2).sqrt() - c)

    for kind, wanted in (("smooth_l1", triangles), ("huber", c * triangles)):
        found = errors(ANSWERS, TARGETS, wide(c, c, c), kind)
        torch.testing.assert_close(found.double(), wanted, rtol=1e-6, atol=1e-6)


def test_a_constant_turn_is_scaled() -> None:
    assert turns(huber_schedule="constant", huber_c=0.2, huber_scale=3).tolist() == pytest.approx([0.6] * 3)


def test_an_exponential_turn_is_sd_scripts() -> None:
    """There: exp(-alpha t), with alpha = -ln(c) / T."""
    alpha = -math.log(0.1) / 1000
    wanted = [2 * math.exp(-alpha * 1000 * share) for share in COURSE.tolist()]

    assert turns(huber_schedule="exponential", huber_scale=2).tolist() == pytest.approx(wanted, rel=1e-6)


def test_a_turn_by_snr_is_sd_scripts_and_knows_no_scale() -> None:
    wanted = [(1 - 0.1) / (1 + sigma) ** 2 + 0.1 for sigma in SIGMAS.tolist()]

    assert turns(huber_schedule="snr").tolist() == pytest.approx(wanted, rel=1e-6)
    assert (turns(huber_schedule="snr", huber_scale=9) == turns(huber_schedule="snr")).all()
