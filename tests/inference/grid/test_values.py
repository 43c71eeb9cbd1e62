from typing import Any

import pytest

from inference.grid.values import floats, integers, orders, texts
from modelhub.errors import BadValue


@pytest.mark.parametrize(
    ("said", "values"),
    [
        ("1,2,5", [1, 2, 5]),
        ("1-5", [1, 2, 3, 4, 5]),
        ("1-9 (+3)", [1, 4, 7]),
        ("10-5 (-3)", [10, 7]),
        ("5-3", [5, 4, 3]),
        ("1-10 [5]", [1, 3, 5, 7, 10]),
        ("10-20 [3], 40", [10, 15, 20, 40]),
        ("-3--1", [-3, -2, -1]),
        ("7", [7]),
    ],
)
def test_whole_numbers_and_their_ranges(said: str, values: list[int]) -> None:
    assert integers(said) == values


@pytest.mark.parametrize(
    ("said", "values"),
    [
        ("0.1, 0.25", [0.1, 0.25]),
        ("0-1 [3]", [0.0, 0.5, 1.0]),
        ("0.1-0.5 (+0.1)", [0.1, 0.2, 0.3, 0.4, 0.5]),
        ("5-7", [5.0, 6.0, 7.0]),
    ],
)
def test_fractions_and_their_ranges(said: str, values: list[float]) -> None:
    assert floats(said) == values


def test_texts_may_hold_commas_in_quotation_marks() -> None:
    assert texts('cat, "dog, brown" ,fox') == ["cat", "dog, brown", "fox"]


def test_orders_are_all_orders() -> None:
    assert orders("a, b") == [("a", "b"), ("b", "a")]
    with pytest.raises(BadValue, match="6 words"):
        orders("a,b,c,d,e,f")


@pytest.mark.parametrize("said", ["x", "1.5", "1-9 (+0)", "1-9 [0]", "1-100000"])
def test_what_is_no_whole_number_or_no_range_is_refused(said: str) -> None:
    with pytest.raises(BadValue):
        integers(said)


def test_the_readers_give_what_axes_take() -> None:
    readers: list[Any] = [integers, floats, texts]
    assert [len(reader("1, 2")) for reader in readers] == [2, 2, 2]
