"""How a step is cut, and shared out."""

import doctest

import pytest
import torch

from trainers.learning import processes
from trainers.learning.batch import Piece
from trainers.learning.processes import Processes, cut

STEP = [[7, 8, 9], [4, 5]]


def pieces(first: int, end: int, at_once: int = 0) -> list[tuple[list[int], int]]:
    return [(list(one.items), one.place) for one in cut(STEP, range(first, end), epoch=1, number=2, at_once=at_once)]


def test_alone_a_step_is_its_batches() -> None:
    assert pieces(0, 5) == [([7, 8, 9], 0), ([4, 5], 3)]


def test_a_piece_has_so_many_samples_at_most_and_is_of_one_bucket() -> None:
    assert pieces(0, 5, at_once=2) == [([7, 8], 0), ([9], 2), ([4, 5], 3)]


def test_a_share_begins_and_ends_within_batches() -> None:
    assert pieces(1, 4, at_once=2) == [([8, 9], 1), ([4], 3)]


def test_a_share_may_be_empty() -> None:
    assert pieces(2, 2) == []


def test_a_piece_knows_epoch_and_step() -> None:
    assert cut(STEP, range(1), epoch=1, number=2, at_once=0) == [Piece([7], epoch=1, step=2, place=0)]


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_all_shares_together_are_the_step(count: int) -> None:
    bounds = [5 * rank // count for rank in range(count + 1)]

    places = [place + index for rank in range(count) for items, place in pieces(bounds[rank], bounds[rank + 1])
              for index in range(len(items))]  # fmt: skip

    assert places == [0, 1, 2, 3, 4]


def test_a_process_by_itself_is_the_main_one_and_has_it_all() -> None:
    alone = Processes(torch.device("cpu"))
    one = torch.tensor([1.0])
    alone.sum([one])

    assert (alone.is_main, alone.count, one.item(), alone.agree(3)) == (True, 1, 1.0, 3)
    assert alone.share(STEP, epoch=1, number=2, at_once=0) == cut(STEP, range(5), epoch=1, number=2, at_once=0)


def test_the_example_is_right() -> None:
    assert doctest.testmod(processes).failed == 0
