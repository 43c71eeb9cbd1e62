"""One measured figure."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

__all__ = ["Figure", "seconds_in_turn"]


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with its goal; None for a goal is a number to know."""

    name: str
    value: float
    unit: str
    at_most: float | None = None
    at_least: float | None = None

    @property
    def verdict(self) -> str:
        if self.at_most is not None:
            return f"{'ok' if self.value <= self.at_most else 'MISSED'} (at most {self.at_most:g})"
        if self.at_least is not None:
            return f"{'ok' if self.value >= self.at_least else 'MISSED'} (at least {self.at_least:g})"
        return ""

    def __str__(self) -> str:
        return f"{self.name:<58} {self.value:>9.3g} {self.unit:<10} {self.verdict}".rstrip()


def seconds_in_turn(
    runs: int, *actions: Callable[[], object], clock: Callable[[], float] = time.perf_counter
) -> list[float]:
    """Median seconds of each action, run in turn A B A B after one warm-up, so that drift meets all alike.

    `time.process_time` for a clock leaves out what other programs take of a shared processor.
    """
    times: list[list[float]] = [[] for _ in actions]
    for turn in range(runs + 1):
        for action, taken in zip(actions, times, strict=True):
            begun = clock()
            action()
            if turn:
                taken.append(clock() - begun)
    return [median(taken) for taken in times]
