"""Pictures that are drawn over again and again."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from PIL import Image

from inference.images.inputs import Inputs
from inference.loopback import denoise_at, looped
from inference.picture import Picture
from inference.request import GenerationRequest, Init, Mask
from inference.series import Series, Turn, listed
from modelhub.errors import BadValue

REQUEST = GenerationRequest(prompt="a cat", model="tiny", seed=10, init=Init(image="old.png", denoise=0.8))


def played(series: Series) -> list[Turn]:
    """Every turn, answered with a picture as grey as its number says."""
    turns, answer = list[Turn](), None
    while True:
        try:
            turns.append(next(series) if answer is None else series.send(answer))
        except StopIteration:
            return turns
        grey = Image.new("RGB", (8, 8), (len(turns),) * 3)
        answer = (Picture(grey, turns[-1].request.seed, "", turns[-1].request),)


def inits(turns: Sequence[Turn]) -> list[Init]:
    return [turn.request.init for turn in turns if turn.request.init]


@pytest.mark.parametrize(
    ("curve", "expected"),
    [("linear", [0.8, 0.6, 0.4]), ("aggressive", [0.8, 0.517, 0.4]), ("lazy", [0.8, 0.683, 0.4])],
)
def test_the_strength_goes_from_the_first_to_the_last(curve: str, expected: list[float]) -> None:
    strengths = [denoise_at(loop, 3, first=0.8, final=0.4, curve=curve) for loop in range(3)]

    assert strengths == pytest.approx(expected, abs=5e-4)
    assert denoise_at(0, 1, first=0.8, final=0.4, curve=curve) == 0.8


def test_each_loop_draws_over_the_last_result_with_the_next_seed(tmp_path: Path) -> None:
    inputs = Inputs(tmp_path)
    turns = played(looped(listed([REQUEST]), 3, final=0.4, curve="linear", inputs=inputs))

    assert [turn.request.seed for turn in turns] == [10, 11, 12]
    assert [one.denoise for one in inits(turns)] == pytest.approx([0.8, 0.6, 0.4])
    first, *others = [one.image for one in inits(turns)]
    assert first == "old.png"
    assert [Inputs(tmp_path).open(one).getpixel((0, 0)) for one in others] == [(1, 1, 1), (2, 2, 2)]


def test_each_picture_of_a_request_is_a_chain_of_its_own(tmp_path: Path) -> None:
    request = REQUEST.model_copy(update={"count": 2})
    turns = played(looped(listed([request]), 2, final=None, curve="linear", inputs=Inputs(tmp_path)))

    assert [turn.request.seed for turn in turns] == [10, 11, 12, 13]
    assert [one.image == "old.png" for one in inits(turns)] == [True, False, True, False]
    assert {(turn.request.images, init.denoise) for turn, init in zip(turns, inits(turns), strict=True)} == {(1, 0.8)}


def test_a_mask_is_filled_once(tmp_path: Path) -> None:
    init = Init(image="old.png", mask=Mask(image="mask.png", content="fill"))
    request = REQUEST.model_copy(update={"init": init})
    turns = played(looped(listed([request]), 3, final=None, curve="linear", inputs=Inputs(tmp_path)))

    assert [one.mask and one.mask.content for one in inits(turns)] == ["fill", "original", "original"]


def test_the_series_around_it_gets_the_last_pictures(tmp_path: Path) -> None:
    sent: list[tuple[Picture, ...]] = []

    def inner() -> Series:
        sent.append((yield Turn(REQUEST.model_copy(update={"batch": 2}))))
        return ()

    played(looped(inner(), 3, final=None, curve="linear", inputs=Inputs(tmp_path)))

    assert [[one.seed for one in pictures] for pictures in sent] == [[12, 15]]


def test_without_a_picture_there_is_no_loop(tmp_path: Path) -> None:
    series = looped(
        listed([REQUEST.model_copy(update={"init": None})]), 2, final=None, curve="linear", inputs=Inputs(tmp_path)
    )

    with pytest.raises(BadValue, match="no picture to draw over"):
        played(series)
