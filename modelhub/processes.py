"""Tells whether the process that began something still lives; a number alone is given to others later.

psutil is imported when it is asked: most commands neither begin a run nor find one that is running.
"""

import os

__all__ = ["alive", "started"]

_CLOCK_SECONDS = 5.0
"""Two processes may disagree by so much on when a third began, when the system's clock is set in between."""


def started(pid: int | None = None) -> str:
    """When a process (this one by default) began, as a text to compare; empty when there is none of that number."""
    import psutil

    try:
        return f"{psutil.Process(os.getpid() if pid is None else pid).create_time():.2f}"
    except psutil.Error:
        return ""


def alive(pid: int, since: str) -> bool:
    """Whether process `pid` is the one that began at `since`."""
    began = started(pid)
    return bool(since and began) and abs(float(began) - float(since)) < _CLOCK_SECONDS
