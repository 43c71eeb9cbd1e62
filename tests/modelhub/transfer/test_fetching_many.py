"""Several files at once: one bar for all, and what fails stops no other."""

from pathlib import Path

import pytest

from modelhub.errors import Interrupted, NotOffered
from modelhub.jobs import Cancel, Notice, Progress
from modelhub.transfer import Failed, Located, Pace, Received, Wanted, fetch_all
from tests.modelhub.transfer.conftest import Desk, weights
from tests.servers.faults import cut, slow


def several(desk: Desk, count: int, size: int = 50_000) -> list[Wanted]:
    found = []
    for number in range(count):
        url = desk.storage.put(f"{number}.safetensors", weights(size, seed=number), etag=f'"{number}"')
        target = desk.folder / f"{number}.safetensors"
        found.append(Wanted(str(number), target, lambda url=url: Located(url), size))  # type: ignore[misc]
    return found


def test_all_come_and_the_sum_is_told(desk: Desk) -> None:
    wanted = several(desk, 6)
    desk.storage.faults += [cut(15_000)] * 3  # short enough that one file may meet all three
    events = list(fetch_all(wanted, network=desk.network, clock=desk.sleeps.clock))
    received = [event for event in events if isinstance(event, Received)]
    assert {one.wanted.key for one in received} == {one.key for one in wanted}
    assert all(one.wanted.target.read_bytes() == weights(50_000, int(one.wanted.key)) for one in received)
    assert sum(isinstance(event, Notice) for event in events) == 3
    bars = [event for event in events if isinstance(event, Progress) and event.task == "all"]
    assert (bars[-1].done, bars[-1].total) == (300_000, 300_000)


def test_what_fails_stops_no_other(desk: Desk) -> None:
    wanted = several(desk, 4)
    del desk.storage.files["/1.safetensors"]
    events = list(fetch_all(wanted, network=desk.network, clock=desk.sleeps.clock))
    (failed,) = (event for event in events if isinstance(event, Failed))
    assert (failed.wanted, type(failed.error)) == (wanted[1], NotOffered)
    assert sum(isinstance(event, Received) for event in events) == 3


def test_a_defect_is_raised_and_not_hidden(desk: Desk) -> None:
    (one,) = several(desk, 1)

    def broken() -> Located:
        raise RuntimeError("a defect")

    with pytest.raises(RuntimeError, match="a defect"):
        list(fetch_all([Wanted("1", one.target, broken)], network=desk.network))


def test_nothing_wanted_is_nothing_done(desk: Desk) -> None:
    assert list(fetch_all([], network=desk.network)) == []


@pytest.mark.parametrize("how", ["close", "cancel"])
def test_a_stop_keeps_what_came_of_all(how: str, desk: Desk) -> None:
    wanted = several(desk, 3, size=400_000)
    desk.storage.always = slow(1_000_000, piece=10_000)
    cancel = Cancel()
    events = fetch_all(wanted, network=desk.network, cancel=cancel)
    began: set[str] = set()
    for event in events:
        if isinstance(event, Progress) and event.task != "all" and event.done:
            began.add(event.task)
        if len(began) == 3:
            break
    if how == "close":
        events.close()  # type: ignore[attr-defined]
    else:
        cancel.set()
        with pytest.raises(Interrupted):
            list(events)
    assert [(desk.folder / f"{number}.safetensors.part").stat().st_size > 0 for number in range(3)] == [True] * 3
    desk.storage.always = None
    again = [event for event in fetch_all(wanted, network=desk.network) if isinstance(event, Received)]
    assert all(0 < one.fetched < 400_000 for one in again)
    assert len(again) == 3


def test_so_many_at_once_and_no_more(desk: Desk) -> None:
    wanted = several(desk, 5)
    desk.storage.always = slow(2_000_000, piece=20_000)
    open_at_once: list[int] = []
    running: set[str] = set()
    for event in fetch_all(wanted, network=desk.network, pace=Pace(at_once=2)):
        if isinstance(event, Progress) and event.task != "all":
            running.add(event.task)
        if isinstance(event, Received):
            running.discard(event.wanted.target.name)
        open_at_once.append(len(running))
    assert max(open_at_once) == 2


def test_the_rate_is_that_of_all_together(desk: Desk) -> None:
    wanted = several(desk, 3)
    list(
        fetch_all(wanted, network=desk.network, pace=Pace(bytes_per_second=50_000, at_once=1), clock=desk.sleeps.clock)
    )
    assert sum(desk.sleeps.slept) == pytest.approx(2.0, abs=0.3)


def test_one_place_wanted_twice_is_fetched_once(desk: Desk, tmp_path: Path) -> None:
    (one,) = several(desk, 1)
    received = [event for event in fetch_all([one, one], network=desk.network) if isinstance(event, Received)]
    assert sorted(event.fetched for event in received) == [0, 50_000]
