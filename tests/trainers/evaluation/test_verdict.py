"""The recommended pair follows from the figures alone, and says why."""

import pytest

from modelhub.errors import BadValue
from trainers.evaluation.verdict import Cell, judged


def cell(
    step: int,
    strength: float,
    likeness: float,
    *,
    drift: float = 0.1,
    losses: tuple[float, ...] = (),
    above: float = 0.9,
) -> Cell:
    return Cell(step, strength, likeness, above, drift, losses)


def test_the_most_alike_is_best_where_nothing_else_tells() -> None:
    assert judged([cell(1, 0.5, 0.7), cell(2, 1.0, 0.9), cell(3, 1.0, 0.8)]).cell.step == 2


def test_of_two_that_are_as_alike_the_weaker_and_then_the_earlier_is_best() -> None:
    found = judged([cell(3, 1.0, 0.9), cell(2, 0.6, 0.898), cell(1, 0.6, 0.899)]).cell

    assert (found.step, found.strength) == (1, 0.6)


def test_what_changes_other_things_too_much_is_left_out() -> None:
    assert judged([cell(1, 0.5, 0.7), cell(2, 1.0, 0.9, drift=0.6)], most_drift=0.5).cell.step == 1


def test_where_all_change_too_much_the_one_that_changes_least_is_best_and_says_so() -> None:
    verdict = judged([cell(1, 0.5, 0.7, drift=0.7), cell(2, 1.0, 0.9, drift=0.9)])

    assert verdict.cell.step == 1
    assert "above the bound of 0.5, all are" in verdict.reason


def test_where_all_change_too_much_one_that_hardly_shows_it_is_not_best() -> None:
    weak, clear = cell(1, 0.2, 0.6, drift=0.6, above=0.4), cell(1, 0.6, 0.8, drift=0.7)

    assert judged([weak, clear, cell(1, 1.0, 0.9, drift=0.9)]).cell == clear
    assert judged([weak]).cell == weak


def test_a_loss_that_is_worse_than_by_chance_rules_a_cell_out() -> None:
    good, worse = (0.10, 0.20, 0.30, 0.40), (0.12, 0.23, 0.32, 0.43)
    level = (0.09, 0.22, 0.29, 0.41)

    assert judged([cell(1, 1, 0.7, losses=good), cell(2, 1, 0.9, losses=worse)]).cell.step == 1
    assert judged([cell(1, 1, 0.7, losses=good), cell(2, 1, 0.9, losses=level)]).cell.step == 2


def test_a_copys_strength_goes_by_what_it_draws_and_by_the_loss_where_that_says_nothing() -> None:
    low, high = (0.10, 0.20, 0.30), (0.20, 0.30, 0.41)

    assert judged([cell(1, 0.6, 0.8, losses=high), cell(1, 1, 0.7, losses=low)]).cell.strength == 0.6
    assert judged([cell(1, 0.6, 0.7, losses=high), cell(1, 1, 0.698, losses=low)]).cell.strength == 1


def test_the_reason_names_the_figures_beside_the_best_of_each() -> None:
    verdict = judged([cell(1, 0.5, 0.71, losses=(0.1, 0.3)), cell(2, 1.0, 0.9, losses=(0.3, 0.5), drift=0.2)])

    assert verdict.reason == (
        "likeness 0.710 (most: 0.900), above 90% of the base's own pictures; held-out loss 0.2000 (least: 0.2000); "
        "unrelated pictures change 0.10 of what another seed changes (the bound is 0.5)"
    )


def test_without_cells_there_is_nothing_to_judge() -> None:
    with pytest.raises(BadValue, match="nothing was measured"):
        judged([])
