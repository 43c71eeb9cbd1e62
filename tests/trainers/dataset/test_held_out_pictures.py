"""Which pictures judge a training: by content, never a copy of what is learned."""

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from random import Random

import pytest
from PIL import Image

from tests.trainers.doctor.examining import unlike
from trainers.dataset import Sample
from trainers.dataset.held_out import held_out
from trainers.dataset.likeness import Look, look_of
from trainers.recipe import SubsetOptions


def sample(name: int | str, *, look: Look | None = None, **options: bool) -> Sample:
    digest = sha256(str(name).encode()).hexdigest()
    subset = SubsetOptions(images=Path("set"), **options)
    return Sample(Path(f"{name}.png"), "", (8, 8), digest, "set", subset, look=look)


def turned(seed: int, chance: Random) -> Look:
    """One of the ways in which a picture can be saved again."""
    side = chance.choice([64, 150])
    return look_of(unlike(seed, (side, side)).transpose(chance.choice(list(Image.Transpose))))


def chosen(samples: Sequence[Sample], share: float = 0.1) -> set[str]:
    return {samples[index].sha256 for index in held_out(samples, share)}


@pytest.mark.parametrize(("count", "expected"), [(9, 0), (10, 1), (24, 2), (100, 10)])
def test_the_share_is_that_of_the_pictures_and_none_of_a_few(count: int, expected: int) -> None:
    assert len(held_out([sample(name) for name in range(count)], 0.1)) == expected


def test_nothing_is_held_out_where_nothing_shall_be() -> None:
    assert held_out([sample(name) for name in range(100)], 0.0) == frozenset()


def test_neither_names_nor_order_decide() -> None:
    samples = [sample(name) for name in range(30)]
    moved = [*samples]
    Random(1).shuffle(moved)

    assert chosen(moved) == chosen(samples)


def test_a_picture_more_changes_the_choice_by_one_at_most() -> None:
    samples = [sample(name) for name in range(30)]

    assert len(chosen(samples) & chosen([*samples, sample("new")])) >= 2


@pytest.mark.parametrize("seed", range(20))
def test_copies_are_never_on_both_sides(seed: int) -> None:
    """Of the bytes, or to the eye, however they are turned."""
    chance = Random(seed)
    shown = [chance.randrange(10) for _ in range(20)]
    samples = [
        *[sample(f"{seed}/{chance.randrange(15)}") for _ in range(20)],
        *[sample(f"{seed}/saved again {n}", look=turned(one, chance)) for n, one in enumerate(shown)],
    ]

    apart = held_out(samples, 0.3)

    keys = [{one.sha256} for one in samples[:20]] + [
        {one.sha256, str(n)} for one, n in zip(samples[20:], shown, strict=True)
    ]
    judging = set().union(*(keys[index] for index in apart))
    learned = set().union(*(keys[index] for index in range(len(samples)) if index not in apart))
    assert apart
    assert not judging & learned


def test_copies_of_a_few_pictures_are_a_few_pictures() -> None:
    assert held_out([sample(number % 9) for number in range(90)], 0.1) == frozenset()


def test_pictures_of_the_class_are_never_held_out() -> None:
    samples = [sample(name, regularisation=name >= 20) for name in range(200)]

    assert max(held_out(samples, 0.5)) < 20


def test_what_a_subset_holds_out_takes_the_place_of_a_share() -> None:
    samples = [*[sample(name) for name in range(30)], sample("a", held_out=True), sample("b", held_out=True)]

    assert held_out(samples, 0.5) == {30, 31}


def test_a_copy_of_what_is_learned_does_not_judge() -> None:
    samples = [sample("a"), sample("a", held_out=True), sample("b", held_out=True)]

    assert held_out(samples, 0.1) == {2}
