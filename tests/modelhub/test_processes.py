"""A process is known by its number and its start, since numbers are given again."""

import os
import subprocess
import sys

from modelhub.processes import alive, started


def test_this_process_lives() -> None:
    assert alive(os.getpid(), started())


def test_a_clock_that_was_set_a_little_kills_nobody() -> None:
    assert alive(os.getpid(), f"{float(started()) + 1:.2f}")


def test_another_process_of_the_same_number_is_not_the_same() -> None:
    assert not alive(os.getpid(), "1.00")


def test_a_process_that_ended_is_dead() -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    began = started(process.pid)
    assert alive(process.pid, began)
    process.communicate(b"\n")
    assert not alive(process.pid, began)
    assert started(process.pid) == ""


def test_a_process_without_a_start_never_lives() -> None:
    assert not alive(os.getpid(), "")
