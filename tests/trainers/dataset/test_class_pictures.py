"""Pictures of the class are seen as often as what is learned."""

import pytest

from trainers.dataset.regularisation import evened


@pytest.mark.parametrize(
    ("repeats", "total", "expected"),
    [
        ([1, 1, 1], 3, [1, 1, 1]),
        ([1, 1, 1], 8, [3, 3, 2]),
        ([1, 1, 1], 2, [1, 1, 0]),
        ([3, 1], 6, [4, 2]),
        ([5, 1], 3, [3, 0]),
        ([0.4, 1], 4, [2, 2]),
        ([], 7, []),
    ],
)
def test_they_are_cycled_or_cut_to_the_number_wanted(repeats: list[float], total: int, expected: list[int]) -> None:
    assert evened(repeats, total) == expected
