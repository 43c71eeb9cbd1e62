import pytest

from inference.grid.matrix import read_matrix
from inference.request import GenerationRequest
from modelhub.errors import BadValue


def test_every_set_of_the_optional_parts_is_drawn_once_the_plain_prompt_first() -> None:
    matrix = read_matrix("a cat | snow | night | oil")

    prompts = [one.prompt for one in matrix.requests(GenerationRequest(prompt="", model="m", seed=3, count=4))]

    assert prompts == [
        "a cat", "a cat, snow", "a cat, night", "a cat, snow, night",
        "a cat, oil", "a cat, snow, oil", "a cat, night, oil", "a cat, snow, night, oil",
    ]  # fmt: skip
    assert matrix.labels(matrix.columns, 0) == ("-", "snow", "night", "snow, night")
    assert matrix.labels(matrix.rows, 2) == ("-", "oil")


def test_one_optional_part_makes_one_row() -> None:
    matrix = read_matrix("a|b")
    assert (len(matrix.columns), len(matrix.rows)) == (2, 1)
    assert [one.prompt for one in matrix.requests(GenerationRequest(prompt="", model="m"))] == ["a", "a, b"]


@pytest.mark.parametrize("prompt", ["a cat", "|".join("abcdefghijk")])
def test_no_choice_and_too_much_of_it_are_refused(prompt: str) -> None:
    with pytest.raises(BadValue):
        read_matrix(prompt)
