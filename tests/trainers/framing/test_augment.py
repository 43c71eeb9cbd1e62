"""A picture's copies differ as they should, and are the same copies wherever they are asked for."""

from collections import Counter
from pathlib import Path

import pytest

from trainers.dataset import Sample
from trainers.framing.augment import Colouring, colouring, variations, view_of, views_of
from trainers.framing.buckets import Placement
from trainers.framing.views import Item
from trainers.recipe import AugmentOptions, SubsetOptions

ITEM = Item(0, Placement((64, 64), (96, 70), (16, 3)), 1)


def sample(digest: str = "a", **augment: object) -> Sample:
    subset = SubsetOptions(images=Path("x"), augment=AugmentOptions.model_validate(augment))
    return Sample(Path("a.png"), "", (96, 70), digest, "x", subset)


@pytest.mark.parametrize(
    ("augment", "copies"),
    [
        ({}, 1),
        ({"flip": True}, 2),
        ({"variations": 9}, 1),
        ({"crop": "random"}, 4),
        ({"color": True, "variations": 3}, 3),
        ({"color": True, "crop": "random", "flip": True, "variations": 3}, 6),
    ],
)
def test_there_are_as_many_copies_as_a_step_may_ask_for(augment: dict[str, object], copies: int) -> None:
    found = list(views_of(ITEM, sample(**augment)))

    assert len(set(found)) == len(found) == copies
    assert {view.variation for view in found} == set(range(variations(sample(**augment))))


def test_a_picture_that_is_shown_as_it_is_is_cut_where_it_was_placed() -> None:
    (view,) = views_of(ITEM, sample())

    assert (view.placement, view.mirrored, view.variation) == (ITEM.placement, False, 0)


def test_random_cuts_lie_anywhere_within_the_picture() -> None:
    cuts = {view.placement.crop for view in views_of(ITEM, sample(crop="random", variations=100))}

    assert len(cuts) > 50
    assert all(0 <= left <= 32 and 0 <= top <= 6 for left, top in cuts)
    assert {top for _, top in cuts} == set(range(7))


def test_a_copy_and_its_mirror_image_are_cut_alike() -> None:
    one = sample(crop="random", flip=True)
    views = list(views_of(ITEM, one))

    for plain, mirrored in zip(views[::2], views[1::2], strict=True):
        assert (plain.mirrored, mirrored.mirrored) == (False, True)
        assert plain.placement == mirrored.placement


def test_copies_hang_on_the_picture_and_their_number_alone() -> None:
    one = sample("a", crop="random")

    assert view_of(ITEM, one, variation=2) == view_of(ITEM, one, variation=2)
    assert view_of(ITEM, one, variation=2) != view_of(ITEM, sample("b", crop="random"), variation=2)


def test_a_third_of_the_copies_get_other_colours_within_kohyas_bounds() -> None:
    found = [colouring(sample(str(index), color=True), 1) for index in range(900)]

    kinds = Counter((one.turn != 0, one.gamma != 1) for one in found)
    assert kinds[False, False] == pytest.approx(600, abs=60)
    assert kinds[True, False] == pytest.approx(150, abs=40)
    assert kinds[False, True] == pytest.approx(150, abs=40)
    assert 0.035 < max(abs(one.turn) for one in found) <= 8 / 180
    assert 0.95 <= min(one.gamma for one in found) < 0.96
    assert 1.04 < max(one.gamma for one in found) <= 1.05


def test_colours_stay_where_nobody_asked_for_others() -> None:
    assert {colouring(sample(str(index)), 1) for index in range(30)} == {Colouring()}
