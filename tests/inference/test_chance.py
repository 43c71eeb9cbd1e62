from pathlib import Path

import pytest

from inference.chance import every_way, one_way_each, with_seeds
from inference.prompt.wildcards import Wildcards
from inference.request import GenerationRequest, Variation
from modelhub.errors import BadValue

NONE = Wildcards(Path("nowhere"))
OPEN = GenerationRequest(prompt="{a|b|c|d|e|f} cat", negative_prompt="{x|y}", model="m", seed=40, batch=2, count=3)


def test_a_prompt_that_leaves_nothing_to_chance_stays_one_request() -> None:
    plain = OPEN.model_copy(update={"prompt": "a cat", "negative_prompt": ""})
    assert one_way_each(plain, NONE) == [plain]


def test_each_image_chooses_by_its_own_seed() -> None:
    drawn = one_way_each(OPEN, NONE)

    assert [one.seed for one in drawn] == [40, 41, 42, 43, 44, 45]
    assert len({one.prompt for one in drawn}) > 1
    assert all("{" not in one.prompt + one.negative_prompt for one in drawn)
    (alone,) = one_way_each(OPEN.model_copy(update={"seed": 43, "batch": 1, "count": 1}), NONE)
    assert alone == drawn[3]


def test_images_of_one_seed_choose_by_the_seed_that_is_mixed_in() -> None:
    drawn = one_way_each(OPEN.model_copy(update={"variation": Variation(seed=7, strength=0.5)}), NONE)

    assert {one.seed for one in drawn} == {40}
    assert [one.variation and one.variation.seed for one in drawn] == [7, 8, 9, 10, 11, 12]
    assert len({one.prompt for one in drawn}) > 1


def test_every_way_is_drawn_with_the_same_seeds() -> None:
    drawn = every_way(OPEN.model_copy(update={"prompt": "{a|b} cat", "seed": -1}), NONE)

    assert [(one.prompt, one.negative_prompt) for one in drawn] == [
        ("a cat", "x"), ("a cat", "y"), ("b cat", "x"), ("b cat", "y"),
    ]  # fmt: skip
    assert len({one.seed for one in drawn}) == 1
    assert drawn[0].seed >= 0


def test_too_many_ways_are_refused() -> None:
    with pytest.raises(BadValue, match="more than 1000 pictures"):
        every_way(OPEN.model_copy(update={"prompt": "{a|b|c|d|e|f|g|h|i|j}" * 4}), NONE)


def test_open_seeds_are_decided() -> None:
    decided = with_seeds(OPEN.model_copy(update={"seed": -1, "variation": Variation(strength=1.0)}))

    assert decided.seed >= 0
    assert decided.variation
    assert decided.variation.seed >= 0
