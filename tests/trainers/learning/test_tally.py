"""Losses are read together, smoothed, and told in order."""

import math

import pytest
import torch

from trainers.learning.tally import Tally


def note(tally: Tally, step: int, loss: float, *, norm: float = 1.0, factor: float = 1.0) -> None:
    tally.note(step, 0.5, torch.tensor(loss), torch.tensor(norm), torch.tensor(factor))


def test_what_was_noted_is_told_once_it_was_read() -> None:
    tally = Tally(total=9)
    note(tally, 1, 2.0)
    note(tally, 2, 4.0, factor=0.5)

    assert list(tally.take()) == []
    tally.read()

    first, second = tally.take()
    assert (first.step, first.total, first.loss, first.smoothed, first.learning_rate) == (
        1,
        9,
        2,
        pytest.approx(2),
        0.5,
    )
    assert (second.loss, second.learning_rate) == (4, 0.25)
    assert second.smoothed == pytest.approx((0.95 * 2 + 4) / 1.95)
    assert list(tally.take()) == []


@pytest.mark.parametrize(("loss", "norm"), [(math.nan, 1.0), (math.inf, 1.0), (1.0, math.nan)])
def test_it_stops_at_the_first_step_that_came_to_no_number(loss: float, norm: float) -> None:
    tally = Tally(total=9)
    note(tally, 1, 2.0)
    note(tally, 2, loss, norm=norm)
    note(tally, 3, 2.0)

    tally.read()

    assert [one.step for one in tally.take()] == [1]
    assert tally.spoilt is not None
    assert tally.spoilt[0] == 2
    assert not math.isfinite(tally.spoilt[1])


def test_going_back_forgets_what_came_after() -> None:
    tally = Tally(total=9)
    note(tally, 1, math.nan)
    tally.read()
    note(tally, 2, 1.0)

    tally.go_back(0.25, [])
    tally.read()

    assert (tally.smoothed, tally.spoilt, list(tally.take())) == (0.25, None, [])
