"""Where in a picture an answer is judged."""

import random

import pytest
import torch

from trainers.objective.masks import drawn_mask, masked_mean
from trainers.recipe import LossOptions

ERRORS = torch.arange(16.0).reshape(1, 4, 2, 2)
"""Channel means of its four places: 6, 7, 8 and 9."""
LEFT = torch.tensor([[[[1.0, 0.0], [1.0, 0.0]]]])


def mean(masks: torch.Tensor | None, **options: object) -> float:
    return masked_mean(ERRORS, masks, LossOptions.model_validate(options)).item()


def test_without_masks_it_is_the_mean() -> None:
    assert mean(None) == 7.5


def test_a_mask_of_all_is_no_mask_to_the_bit() -> None:
    errors = torch.rand(3, 4, 5, 7, generator=torch.Generator().manual_seed(0))

    options = LossOptions()
    assert (masked_mean(errors, torch.ones(3, 1, 5, 7), options) == masked_mean(errors, None, options)).all()


def test_what_is_masked_out_counts_nothing() -> None:
    assert mean(LEFT) == pytest.approx((6 + 8) / 2)


def test_without_normalising_a_small_mask_means_a_small_loss() -> None:
    """sd-scripts' way: the mean over all elements."""
    assert mean(LEFT, normalise_area=False) == pytest.approx((6 + 8) / 4)


def test_what_is_left_out_may_count_a_little() -> None:
    assert mean(LEFT, unmasked_weight=0.5) == pytest.approx((6 + 8 + (7 + 9) / 2) / 3)


def test_greys_count_by_how_bright_they_are() -> None:
    assert mean(torch.tensor([[[[1.0, 0.25], [0.0, 0.0]]]])) == pytest.approx((6 + 7 * 0.25) / 1.25)


def test_a_black_mask_has_no_loss() -> None:
    assert mean(torch.zeros(1, 1, 2, 2)) == 0.0


def test_each_sample_is_divided_by_its_own_area() -> None:
    both = torch.cat([ERRORS, ERRORS + 1])
    masks = torch.cat([LEFT, torch.ones_like(LEFT)])

    assert masked_mean(both, masks, LossOptions()).tolist() == pytest.approx([7, 8.5])


def test_a_mask_is_left_out_as_often_as_asked() -> None:
    chance = random.Random(0)
    options = LossOptions(unmasked_probability=0.25)
    shown = [drawn_mask(LEFT[0], options, chance) for _ in range(2000)]

    whole = sum(bool((one == 1).all()) for one in shown)
    assert 0.22 < whole / 2000 < 0.28
    assert all((one == 1).all() or (one == LEFT[0]).all() for one in shown)


@pytest.mark.parametrize(("probability", "whole"), [(0.0, False), (1.0, True)])
def test_never_and_always_are_what_they_say(probability: float, whole: bool) -> None:
    options = LossOptions(unmasked_probability=probability)

    shown = (drawn_mask(LEFT[0], options, random.Random(seed)) for seed in range(50))
    assert {bool((one == 1).all()) for one in shown} == {whole}
