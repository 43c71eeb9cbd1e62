"""Learning rates against their published courses."""

from typing import Any

import pytest

from trainers.learning.learning_rates import learning_rate
from trainers.recipe import OptimizerOptions

HALF = 0.5**0.5


def course(steps: int, **entries: Any) -> list[float]:
    options = OptimizerOptions(**entries)
    return [learning_rate(step, steps, options) for step in range(steps)]


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ({"schedule": "constant"}, [0.5, 1, 1, 1, 1, 1]),
        ({"schedule": "linear"}, [0.5, 1, 1, 0.75, 0.5, 0.25]),
        ({"schedule": "cosine"}, [0.5, 1, 1, (1 + HALF) / 2, 0.5, (1 - HALF) / 2]),
        ({"schedule": "cosine_with_restarts", "cycles": 2}, [0.5, 1, 1, 0.5, 1, 0.5]),
        ({"schedule": "polynomial", "power": 2}, [0.5, 1, 1, 9 / 16, 1 / 4, 1 / 16]),
        ({"schedule": "inverse_sqrt"}, [0.5, 1, 1, (2 / 3) ** 0.5, (2 / 4) ** 0.5, (2 / 5) ** 0.5]),
        ({"schedule": "rex"}, [0.5, 1, 1, 0.75 / 0.875, 0.5 / 0.75, 0.25 / 0.625]),
    ],
)
def test_the_learning_rate_rises_and_then_takes_its_course(entries: dict[str, Any], expected: list[float]) -> None:
    assert course(6, warmup=1 / 3, **entries) == pytest.approx(expected)


def test_a_warm_up_is_a_share_below_1_and_a_number_of_steps_from_there_on() -> None:
    assert course(8, schedule="linear", warmup=0.25) == course(8, schedule="linear", warmup=2)


def test_a_warm_up_of_everything_only_rises() -> None:
    assert course(4, warmup=4) == [0.25, 0.5, 0.75, 1.0]


def test_a_course_without_warm_up_begins_in_full() -> None:
    assert course(4, schedule="linear", warmup=0)[0] == 1.0


def test_the_floor_is_what_is_left_at_the_end() -> None:
    assert course(5, schedule="linear", warmup=0, floor=0.2) == pytest.approx([1, 0.84, 0.68, 0.52, 0.36])
