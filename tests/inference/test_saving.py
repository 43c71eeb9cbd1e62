"""Pictures are written while others are drawn, in order, and none is lost."""

import threading
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from inference.picture import Picture
from inference.request import GenerationRequest
from inference.saving import Saving

REQUEST = GenerationRequest(prompt="a cat", model="tiny")


def picture(seed: int) -> Picture:
    return Picture(Image.new("RGB", (8, 8)), seed, "", REQUEST)


def test_drawing_goes_on_while_a_picture_is_written() -> None:
    drawn = threading.Event()

    def write(one: Picture) -> Picture:
        assert drawn.wait(5)
        return replace(one, path=Path(f"{one.seed}.png"))

    with Saving(write) as saving:
        saving.add(picture(1))
        saving.add(picture(2))
        drawn.set()

    assert [one.path for one in saving.saved] == [Path("1.png"), Path("2.png")]


def test_an_interruption_waits_for_what_was_drawn() -> None:
    written: list[int] = []

    def write(one: Picture) -> Picture:
        written.append(one.seed)
        return one

    def interrupted() -> None:
        with Saving(write) as saving:
            for seed in (1, 2, 3):
                saving.add(picture(seed))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()

    assert written == [1, 2, 3]


def test_the_first_failure_is_raised_and_ends_the_writing() -> None:
    written: list[int] = []

    def write(one: Picture) -> Picture:
        if one.seed == 2:
            raise OSError("full")
        written.append(one.seed)
        return one

    def failing() -> None:
        with Saving(write) as saving:
            for seed in (1, 2, 3):
                saving.add(picture(seed))

    with pytest.raises(OSError, match="full"):
        failing()

    assert written == [1]
