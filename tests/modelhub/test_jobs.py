"""A job is an iterator: it ends in Done, and can be stopped."""

import pytest

from modelhub.errors import Interrupted
from modelhub.jobs import Cancel, Done, Job, Progress, drain


def counting(cancel: Cancel) -> Job[str]:
    for done in range(3):
        cancel.check()
        yield Progress("count", done, 3)
    yield Done("counted")


def test_draining_gives_the_result() -> None:
    assert drain(counting(Cancel())) == "counted"


def test_a_set_cancel_stops_the_job_at_its_next_look() -> None:
    cancel = Cancel()
    job = counting(cancel)
    next(job)
    cancel.set()
    with pytest.raises(Interrupted):
        next(job)


def test_a_job_without_a_result_is_a_bug() -> None:
    with pytest.raises(RuntimeError, match="Done"):
        drain(iter([Progress("x", 1, 1)]))
