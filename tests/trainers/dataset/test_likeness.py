"""Looks: equal but for little for copies, however they are turned; unlike for other pictures."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageEnhance

from tests.trainers.doctor.examining import unlike
from trainers.dataset.likeness import AS_IT_IS, MIRRORED, Alike, joined, look_alikes, look_of

TURNS = [None, *Image.Transpose]


def turned(image: Image.Image, turn: Image.Transpose | None) -> Image.Image:
    return image if turn is None else image.transpose(turn)


def saved_again(image: Image.Image, quality: int) -> Image.Image:
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=quality)
    return Image.open(stream).convert("RGB")


def found(*pictures: Image.Image) -> list[Alike]:
    return list(look_alikes([look_of(each) for each in pictures]))


@pytest.mark.parametrize("turn", TURNS)
def test_a_turned_copy_is_known_by_its_turn_alone(turn: Image.Transpose | None) -> None:
    [pair] = found(unlike(0), turned(unlike(0), turn))

    assert (pair.turned == AS_IT_IS) == (turn is None)
    assert (pair.turned == MIRRORED) == (turn is Image.Transpose.FLIP_LEFT_RIGHT)


@settings(deadline=None, max_examples=30, derandomize=True)
@given(
    seed=st.integers(0, 10**6),
    size=st.tuples(st.integers(96, 300), st.integers(96, 300)),
    quality=st.integers(75, 95),
    turn=st.sampled_from(TURNS),
)
def test_copies_of_other_size_and_quality_are_known(
    seed: int, size: tuple[int, int], quality: int, turn: Image.Transpose | None
) -> None:
    picture = unlike(seed, (200, 200))

    assert len(found(picture, turned(saved_again(picture.resize(size), quality), turn))) >= 1


def test_a_brighter_copy_is_known_and_much_brighter_is_another_picture() -> None:
    slightly, much = (ImageEnhance.Brightness(unlike(3)).enhance(by) for by in (1.05, 1.5))

    assert len(found(unlike(3), slightly)) == 1
    assert found(unlike(3), much) == []


def test_different_pictures_are_not_alike_in_any_turn() -> None:
    assert found(*map(unlike, range(60))) == []


def test_pairs_are_told_as_they_are_first_and_each_once() -> None:
    pairs = found(unlike(0), unlike(0), turned(unlike(0), Image.Transpose.FLIP_LEFT_RIGHT))

    assert [(one.left, one.right, one.turned) for one in pairs] == [
        (0, 1, AS_IT_IS),
        (0, 2, MIRRORED),
        (1, 2, MIRRORED),
    ]


def test_nothing_is_like_nothing() -> None:
    assert found() == []


def test_many_alike_are_compared_in_parts() -> None:
    """More pairs than are compared at once: of one picture 100 copies, in rows that are cut."""
    grey = Image.fromarray(np.linspace(0, 255, 64 * 64 * 3).reshape(64, 64, 3).astype(np.uint8))
    pairs = [(one.left, one.right) for one in found(*[grey] * 100) if one.turned == AS_IT_IS]

    assert pairs == [(left, right) for left in range(100) for right in range(left + 1, 100)]


@given(count=st.integers(0, 12), pairs=st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=20))
def test_joined_groups_are_all_places_once_and_hold_every_pair(count: int, pairs: list[tuple[int, int]]) -> None:
    pairs = [pair for pair in pairs if max(pair) < count]
    groups = joined(count, pairs)

    assert sorted(index for group in groups for index in group) == list(range(count))
    assert all(any({left, right} <= set(group) for group in groups) for left, right in pairs)
