"""Jobs are followed to their result, with as much show as somebody can see."""

import io
import json
import re
import time
from collections.abc import Iterator

import pytest

from cli.progress import Pace, follow
from cli.render import Output
from modelhub.jobs import Done, Job, Notice, Preview, Progress, Step
from tests.cli.conftest import Terminal


def work() -> Job[str]:
    for step in range(1, 4):
        yield Step(step, 3, loss=0.5, smoothed=0.25, learning_rate=1e-4)
    yield Progress("read", 500, 1000, "B")
    yield Progress("read", 1000, 1000, "B")
    yield Notice("mind the gap")
    yield Preview(3, __import__("pathlib").Path("p.png"))
    yield Done("made")


def output(**how: bool) -> Output:
    return Output(io.StringIO(), io.StringIO(), **how)


def said(stream: object) -> str:
    assert isinstance(stream, io.StringIO)
    return stream.getvalue()


def test_where_nobody_watches_lines_tell_the_beginning_and_the_end() -> None:
    shown = output()
    assert follow(work(), shown) == "made"
    lines = said(shown.err).splitlines()
    assert [line.split("  ")[0] for line in lines[:4]] == ["train", "train", "read", "read"]
    assert "1/3 it" in lines[0]
    assert "loss 0.5000 (mean 0.2500)" in lines[1]
    assert "1.0 kB of 1.0 kB" in lines[3]
    assert lines[4:] == ["mind the gap", "preview at step 3: p.png"]
    assert said(shown.out) == ""


def test_an_end_that_is_told_twice_is_one_line() -> None:
    shown, ends = output(), Progress("all", 5, 5)
    follow(iter([Progress("all", 0, 5), ends, ends, Progress("all", 0, 5), ends, Done(None)]), shown)
    told = [line.split("  ")[1] for line in said(shown.err).splitlines()]
    assert told == ["0/5 it", "5/5 it", "5/5 it"]


def test_a_task_that_begins_again_is_timed_from_its_new_beginning() -> None:
    def twice() -> Job[None]:
        for _ in range(2):
            yield from (Progress("images 1-1 of 1", done, 2) for done in range(3))
            time.sleep(0.5)
        yield Done(None)

    shown = output()
    follow(twice(), shown)
    ends = [line for line in said(shown.err).splitlines() if "2/2" in line]
    assert len(ends) == 2
    rates = [float(rate) for line in ends for rate in re.findall(r"([\d.]+) it/s", line)]
    assert min(rates) > 2 / 0.5  # what it would be at best if the pause were counted


def test_where_somebody_watches_bars_are_drawn_on_stderr() -> None:
    shown = Output(io.StringIO(), Terminal())
    assert follow(work(), shown) == "made"
    drawn = said(shown.err)
    assert "mind the gap" in drawn
    assert "preview at step 3: p.png" in drawn
    assert "train" in drawn
    assert said(shown.out) == ""


def test_quiet_says_nothing() -> None:
    shown = output(quiet=True)
    assert follow(work(), shown) == "made"
    assert said(shown.err) == said(shown.out) == ""


def test_the_event_stream_has_a_line_for_every_event() -> None:
    shown = output(jsonl=True)
    follow(work(), shown)
    events = [json.loads(line) for line in said(shown.out).splitlines()]
    assert [event["event"] for event in events] == ["step"] * 3 + ["progress"] * 2 + ["notice", "preview"]
    assert (events[0]["loss"], events[-1]["path"]) == (0.5, "p.png")


@pytest.mark.parametrize("shown", [output(), Output(io.StringIO(), Terminal()), output(jsonl=True)])
def test_a_job_is_closed_when_it_is_interrupted(shown: Output) -> None:
    closed = []

    def endless() -> Job[None]:
        try:
            yield Progress("spin", 0, None)
            raise KeyboardInterrupt
        finally:
            closed.append(True)

    with pytest.raises(KeyboardInterrupt):
        follow(endless(), shown)
    assert closed == [True]


def test_a_job_that_ends_early_is_closed_too() -> None:
    closed = []

    def job() -> Iterator[Done[int]]:
        try:
            yield Done(1)
        finally:
            closed.append(True)

    assert follow(job(), output()) == 1
    assert closed == [True]


def test_a_job_without_a_result_is_a_bug() -> None:
    with pytest.raises(RuntimeError, match="Done"):
        follow(iter([Notice("x")]), output())


def test_the_rate_counts_from_the_first_event() -> None:
    times = iter([100.0, 102.0, 104.0])
    pace = Pace(lambda: next(times))
    assert pace.text(10, 20, "it") == "10/20 it"
    assert pace.text(14, 20, "it") == "14/20 it  2.00 it/s  0:03 left"
    assert pace.text(18, 20, "it") == "18/20 it  2.00 it/s  0:01 left"


@pytest.mark.parametrize(
    ("done", "total", "unit", "expected"),
    [
        (2e9, 4e9, "B", "2.0 GB of 4.0 GB  1.0 MB/s  33:20 left"),
        (2e9, None, "B", "2.0 GB  1.0 MB/s"),
        (5, None, "files", "5 files  0.00 files/s"),
        (2000, 12000, "it", "2000/12000 it  1.00 it/s  2:46:40 left"),
    ],
)
def test_amounts_are_told_in_their_unit(done: float, total: float | None, unit: str, expected: str) -> None:
    times = iter([0.0, 2000.0])
    pace = Pace(lambda: next(times))
    pace.text(0, total, unit)
    assert pace.text(done, total, unit) == expected
