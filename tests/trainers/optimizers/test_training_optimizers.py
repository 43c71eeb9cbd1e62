"""Optimizers against their published update rules, worked out by hand with plain numbers."""

import copy
import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from modelhub.errors import BadValue
from trainers.optimizers import KINDS, optimizer_kind
from trainers.recipe import OptimizerOptions

OURS = [name for name in KINDS if "8bit" not in name]


def optimizer(name: str, *parameters: nn.Parameter, rate: float = 0.1, **options: Any) -> Optimizer:
    return optimizer_kind(name).make(
        [{"params": [one], "lr": rate} for one in parameters], OptimizerOptions(name=name, **options)
    )


def moved(made: Optimizer, one: nn.Parameter, slope: Callable[[float], float], steps: int) -> list[float]:
    """Where a parameter of one number goes, step by step, on a function of that slope."""
    found = []
    for _ in range(steps):
        one.grad = torch.tensor([slope(one.item())])
        made.step()
        found.append(one.item())
    return found


def slope(x: float) -> float:
    return 2 * x - 3


def test_lion_steps_in_the_sign_of_its_moment() -> None:
    one = nn.Parameter(torch.tensor([1.0]))
    made = optimizer("Lion", one, rate=0.05, weight_decay=0.2, betas=(0.9, 0.99))

    expected, x, moment = [], 1.0, 0.0
    for _ in range(4):
        g = slope(x)
        update = math.copysign(1, 0.9 * moment + 0.1 * g)
        x -= 0.05 * (update + 0.2 * x)
        moment = 0.99 * moment + 0.01 * g
        expected.append(x)
    assert moved(made, one, slope, 4) == pytest.approx(expected, rel=1e-6)


def test_prodigy_follows_its_paper() -> None:
    """Algorithm 4; from 0, near which float32 can tell its first small steps apart."""
    one = nn.Parameter(torch.tensor([0.0]))
    made = optimizer("Prodigy", one, rate=0.5, weight_decay=0.1, betas=(0.9, 0.99))

    found = moved(made, one, slope, 30)

    expected, x, m, v, r, s, d = [], 0.0, 0.0, 0.0, 0.0, 0.0, 1e-6
    ageing = math.sqrt(0.99)
    for _ in range(30):
        g = slope(x)
        m = 0.9 * m + 0.1 * d * g
        v = 0.99 * v + 0.01 * d * d * g * g
        r = ageing * r + (1 - ageing) * 0.5 * d * d * g * (0.0 - x)
        s = ageing * s + (1 - ageing) * 0.5 * d * d * g
        x = x - 0.5 * d * (0.1 * x + m / (math.sqrt(v) + d * 1e-8))
        d = max(d, r / abs(s))
        expected.append(x)
    assert found == pytest.approx(expected, rel=1e-4)
    assert made.distance.item() == pytest.approx(d, rel=1e-4)  # type: ignore[attr-defined]
    assert d > 1e-3


def test_prodigy_finds_one_rate_for_all_parts() -> None:
    near, far = nn.Parameter(torch.tensor([0.0])), nn.Parameter(torch.zeros(2))
    made = optimizer("Prodigy", near, far, rate=1.0, weight_decay=0)

    for _ in range(200):
        made.zero_grad()
        loss = (near - 1).square().sum() + (far + 2).square().sum()
        loss.backward()
        made.step()

    assert loss.item() < 1e-2


def test_adamw_without_a_schedule_follows_its_paper() -> None:
    """Algorithm 1: z moves, x is the mean of where it was, and gradients are taken between the two."""
    one = nn.Parameter(torch.tensor([1.0]))
    made = optimizer("AdamWScheduleFree", one, rate=0.1, weight_decay=0.3, betas=(0.8, 0.9))

    found = moved(made, one, slope, 4)
    made.evaluate()  # type: ignore[attr-defined]

    y = x = z = 1.0
    v, weights, expected = 0.0, 0.0, []
    for step in range(1, 5):
        g = slope(y)
        v = 0.9 * v + 0.1 * g * g
        rate = 0.1 * math.sqrt(1 - 0.9**step)
        z = z - rate * g / (math.sqrt(v) + 1e-8) - rate * 0.3 * y
        weights += rate**2
        x = (1 - rate**2 / weights) * x + rate**2 / weights * z
        y = (1 - 0.8) * z + 0.8 * x
        expected.append(y)
    assert found == pytest.approx(expected, rel=1e-5)
    assert one.item() == pytest.approx(x, rel=1e-5)


def test_adamw_follows_its_paper() -> None:
    one = nn.Parameter(torch.tensor([1.0]))
    made = optimizer("AdamW", one, weight_decay=0.2, betas=(0.8, 0.9))

    expected, x, m, v = [], 1.0, 0.0, 0.0
    for step in range(1, 4):
        g = slope(x)
        m, v = 0.8 * m + 0.2 * g, 0.9 * v + 0.1 * g * g
        x = x * (1 - 0.1 * 0.2) - 0.1 * (m / (1 - 0.8**step)) / (math.sqrt(v / (1 - 0.9**step)) + 1e-8)
        expected.append(x)
    assert moved(made, one, slope, 3) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", ["AdamW", "AdamWScheduleFree", "Lion", "Prodigy"])
def test_a_second_beta_that_is_left_out_is_the_optimizers_own(name: str) -> None:
    own = optimizer(name, nn.Parameter(torch.tensor([1.0]))).param_groups[0]["betas"]
    made = optimizer(name, nn.Parameter(torch.tensor([1.0])), betas=(0.7,))

    assert made.param_groups[0]["betas"] == (0.7, own[1])


def test_adafactor_learns_at_the_rate_that_it_is_given() -> None:
    """Of a single number, whose mean square is its own, the first step is the rate itself."""
    one = nn.Parameter(torch.tensor([100.0]))
    made = optimizer("Adafactor", one, rate=0.25, weight_decay=0)

    assert moved(made, one, slope, 1) == pytest.approx([99.75])


def test_sgd_has_nesterovs_momentum() -> None:
    one = nn.Parameter(torch.tensor([1.0]))
    made = optimizer("SGD", one, weight_decay=0, betas=(0.5,))

    expected, x, speed = [], 1.0, 0.0
    for _ in range(3):
        g = slope(x)
        speed = 0.5 * speed + g
        x -= 0.1 * (g + 0.5 * speed)
        expected.append(x)
    assert moved(made, one, slope, 3) == pytest.approx(expected)


def two_parameters() -> list[nn.Parameter]:
    generator = torch.Generator().manual_seed(1)
    return [nn.Parameter(torch.randn(shape, generator=generator)) for shape in ((3, 4), (5,))]


def take_steps(made: Optimizer, parameters: list[nn.Parameter], first: int, end: int) -> None:
    for step in range(first, end):
        for one in parameters:
            one.grad = torch.randn(one.shape, generator=torch.Generator().manual_seed(step)) + one.detach()
        made.step()


def values(parameters: list[nn.Parameter]) -> list[Tensor]:
    return [one.detach().clone() for one in parameters]


@pytest.mark.parametrize("name", OURS)
def test_one_that_goes_on_from_a_state_is_the_one_that_never_stopped(name: str, tmp_path: Any) -> None:
    whole, resumed = two_parameters(), two_parameters()
    made = optimizer(name, *whole, weight_decay=0.1)
    take_steps(made, whole, 0, 3)
    torch.save([made.state_dict(), values(whole)], tmp_path / "state.pt")
    take_steps(made, whole, 3, 6)

    state, kept = torch.load(tmp_path / "state.pt", weights_only=True)
    for one, value in zip(resumed, kept, strict=True):
        one.data.copy_(value)
    again = optimizer(name, *resumed, weight_decay=0.1)
    again.load_state_dict(copy.deepcopy(state))
    take_steps(again, resumed, 3, 6)

    assert all(torch.equal(one, two) for one, two in zip(whole, resumed, strict=True))


@pytest.mark.parametrize("name", OURS)
def test_at_rate_0_nothing_moves(name: str) -> None:
    parameters = two_parameters()
    made = optimizer(name, *parameters, rate=0.0, weight_decay=0.1)
    before = values(parameters)

    take_steps(made, parameters, 0, 2)

    assert all(torch.equal(one, two) for one, two in zip(parameters, before, strict=True))


def test_names_are_found_however_they_are_capitalised() -> None:
    assert optimizer_kind("prodigy") is KINDS["Prodigy"]


def test_an_unknown_name_is_refused_with_those_there_are() -> None:
    with pytest.raises(BadValue, match="no optimizer 'Adam W'") as caught:
        optimizer_kind("Adam W")

    assert "AdamWScheduleFree" in str(caught.value.mend)
