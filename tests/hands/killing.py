"""Runs a command line in a child process and kills it at a moment of chance, as a power cut would."""

import os
import random
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cli.app import main
from modelhub.catalog import Catalog
from modelhub.fingerprint import fingerprint
from modelhub.headers import read_table
from modelhub.workspace import Workspace

__all__ = ["Killed", "assert_whole", "awaited", "begun_child", "killed_at_random", "run_child"]


@dataclass(frozen=True)
class Killed:
    """How one trial went."""

    delay: float
    """Seconds after which it was killed."""
    ended: bool
    """Whether it had come to its end before."""


def run_child(
    arguments: Sequence[str], *, kill_after: float | None = None, kill_when: Callable[[], bool] | None = None
) -> tuple[bool, float]:
    """Run `modelhub ARGUMENTS` in a child; returns whether it ended by itself with exit code 0, and its seconds.

    It is killed after so many seconds, or as soon as `kill_when` says so and those have passed on top.
    """
    begun = time.monotonic()
    child = begun_child(arguments)
    ended = awaited(child, kill_when) if kill_when else None
    if ended is not None:
        return os.waitstatus_to_exitcode(ended) == 0, time.monotonic() - begun
    if kill_after is not None:
        time.sleep(kill_after)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) == 0, time.monotonic() - begun


def begun_child(arguments: Sequence[str], *, out: Path | None = None) -> int:
    """Begin `modelhub ARGUMENTS` in a child that hears Ctrl-C; returns its process number.

    What it prints goes to the file `out`, or nowhere.
    """
    child = os.fork()
    if child == 0:
        _become(arguments, out or Path(os.devnull))
    return child


def awaited(child: int, when: Callable[[], bool]) -> int | None:
    """None as soon as it is so; the status of a child that ended before."""
    while not when():
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return status
        time.sleep(0.002)
    return None


def killed_at_random(
    arguments: Sequence[str], *, times: int, prepare: Callable[[], None], check: Callable[[Killed], None]
) -> list[Killed]:
    """`prepare`, run and kill, `check`, `times` times over; the moments are spread over one whole run."""
    prepare()
    ended, seconds = run_child(arguments)
    assert ended, "it fails even when it is left alone"
    chance = random.Random(7)
    trials = []
    for part in range(times):
        prepare()
        delay = seconds * (part + chance.random()) / times
        trial = Killed(delay, run_child(arguments, kill_after=delay)[0])
        check(trial)
        trials.append(trial)
    return trials


def assert_whole(home: Path) -> None:
    """The catalog opens, and whatever it lists as present is there and can be read."""
    with Catalog.open(Workspace(home)) as catalog:
        listed = catalog.list()
        assert len({one.name for one in listed}) == len(listed)
        for artifact in listed:
            assert artifact.locations, f"{artifact.name} lies nowhere"
            for at in artifact.locations:
                if at.state == "present":
                    assert fingerprint(at.path).size == at.size
                    read_table(at.path)


def _become(arguments: Sequence[str], out: Path) -> None:
    """In the child: be that command line, and nothing of the test's process."""
    code = 1
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)  # what a shell starts in the background ignores it
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nowhere, stream)
        with out.open("w", encoding="utf-8") as sys.stdout:
            sys.stderr = sys.stdout
            code = main(list(arguments))
    finally:
        os._exit(code)
