"""What is kept, and what goes first when there is no room."""

import os
import random
from pathlib import Path

from inference.shelf import Shelf, Stamp


def filled(budget: int, **sizes: int) -> Shelf[str]:
    shelf: Shelf[str] = Shelf(budget)
    for key, size in sizes.items():
        shelf.put(key, key.upper(), size)
    return shelf


def test_the_longest_unused_goes_first() -> None:
    shelf = filled(30, a=10, b=10, c=10)
    assert shelf.take("a") == "A"

    shelf.make_room(10)

    assert [shelf.take(key) for key in "abc"] == ["A", None, "C"]


def test_what_is_wanted_now_stays_beyond_the_budget() -> None:
    shelf = filled(20, a=10, b=10)

    shelf.make_room(100, keep={"a"})

    assert [shelf.take(key) for key in "ab"] == ["A", None]
    assert shelf.size == 10


def test_nothing_goes_while_there_is_room() -> None:
    shelf = filled(30, a=10, b=10)

    shelf.make_room(10)

    assert shelf.size == 20


def test_a_budget_is_never_exceeded_by_what_is_only_kept() -> None:
    chance, shelf = random.Random(5), Shelf[int](100)
    for at in range(300):
        size = chance.randrange(1, 90)
        shelf.make_room(size)
        shelf.put(at, at, size)
        shelf.take(chance.randrange(at + 1))

        assert shelf.size <= 100


def test_a_stamp_is_of_the_content_by_any_path(tmp_path: Path) -> None:
    path, link = tmp_path / "a", tmp_path / "b"
    path.write_bytes(b"1")
    os.link(path, link)

    assert Stamp.of(path) == Stamp.of(link)

    other = tmp_path / "c"
    other.write_bytes(b"2")
    other.replace(path)
    assert Stamp.of(path) != Stamp.of(link)
