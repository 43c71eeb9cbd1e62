"""Which state a spoilt training goes back to."""

import pytest

from trainers.learning.rollback import Rollback


def rollback(*steps: int, fits: bool = True) -> Rollback:
    made = Rollback(fits)
    for step in steps:
        made.keep(step, lambda step=step: {"step": step})  # type: ignore[misc]
    return made


@pytest.mark.parametrize(
    ("kept", "spoilt", "expected"),
    [
        ((0,), 5, ({"step": 0}, True)),
        ((0,), 1, ({"step": 0}, False)),  # nothing was learned yet: it is the pictures, or the base
        ((0, 25), 30, ({"step": 25}, True)),
        ((0, 25), 26, ({"step": 0}, True)),  # the state after step 25 is itself what gives no number
        ((0, 10, 25), 24, ({"step": 0}, True)),
        ((0, 25, 50), 52, ({"step": 50}, True)),
        ((), 5, (None, False)),
    ],
)
def test_it_goes_back_to_the_newest_state_that_was_proved(
    kept: tuple[int, ...], spoilt: int, expected: tuple[dict[str, int] | None, bool]
) -> None:
    assert rollback(*kept).before(spoilt) == expected


def test_it_gives_up_after_a_few_times() -> None:
    made = rollback(0)

    assert [made.before(5)[1] for _ in range(4)] == [True, True, True, False]


def test_what_it_gives_back_can_be_changed_and_asked_for_again() -> None:
    made = rollback(0)
    first, _ = made.before(5)
    assert first is not None
    first["step"] = 99

    assert made.before(5)[0] == {"step": 0}


def test_nothing_is_kept_where_there_is_no_room() -> None:
    assert rollback(0, fits=False).before(5) == (None, False)
