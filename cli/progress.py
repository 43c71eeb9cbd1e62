"""Shows a job's events: bars where somebody watches, now and then a line where nobody does, JSON on request."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

from cli.render import Output, size_text
from modelhub.jobs import Done, Event, Job, Notice, Preview, Progress, Step

__all__ = ["Pace", "follow"]

T = TypeVar("T")
_LINE_SECONDS = 5.0
"""At least so long between two lines of one task when nobody watches."""


class _Show(Protocol):
    def __call__(self, event: Event[Any]) -> None: ...


def follow(job: Job[T], output: Output) -> T:
    """Run `job` to its end and return its result. However this ends, the job is closed, so it leaves things whole."""
    with _display(output) as show:
        try:
            for event in job:
                if isinstance(event, Done):
                    return event.result
                show(event)
        finally:
            if close := getattr(job, "close", None):
                close()
    raise RuntimeError("a job ended without a Done event")


class Pace:
    """Turns counts into a rate and the time left."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began: tuple[float, float] | None = None
        """Time and count of the first event: what came before it is not this run's doing."""

    def text(self, done: float, total: float | None, unit: str) -> str:
        """``12/20 it  3.1 it/s  0:02 left``, as far as it is known."""
        now = self._clock()
        self._began = self._began or (now, done)
        seconds, count = now - self._began[0], done - self._began[1]
        parts = [_amount(done, total, unit)]
        if seconds > 0 and count > 0:
            parts.append(_rate(count / seconds, unit))
            if total is not None:
                parts.append(f"{_duration((total - done) * seconds / count)} left")
        return "  ".join(parts)


@contextmanager
def _display(output: Output) -> Iterator[_Show]:
    if output.jsonl:
        yield lambda event: output.event(type(event).__name__.lower(), **_content(event))
    elif output.quiet:
        yield lambda event: None
    elif output.is_live:
        with _bars(output) as show:
            yield show
    else:
        yield _Lines(output)


class _Lines:
    """Plain text: the first and the last state of a task, and some between them."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._paces: dict[str, Pace] = {}
        self._said: dict[str, float] = {}
        self._ended: set[str] = set()

    def __call__(self, event: Event[Any]) -> None:
        if (state := _state(event)) is None:
            self._output.hint(_remark(event))
            return
        task, done, total, unit, remark = state
        text = _pace(self._paces, task, done).text(done, total, unit)
        now = time.monotonic()
        ends, ended = done == total, task in self._ended
        (self._ended.add if ends else self._ended.discard)(task)
        if (ends and not ended) or now - self._said.get(task, float("-inf")) >= _LINE_SECONDS:
            self._said[task] = now
            self._output.hint(f"{task}  {text}  {remark}".rstrip())


@contextmanager
def _bars(output: Output) -> Iterator[_Show]:
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bars

    console = Console(file=output.err, no_color=not output.color)
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[pace]}", markup=False),
    )
    tasks: dict[str, Any] = {}
    paces: dict[str, Pace] = {}
    with Bars(*columns, console=console, transient=True) as bars:

        def show(event: Event[Any]) -> None:
            if (state := _state(event)) is None:
                console.print(_remark(event), markup=False, highlight=False)
                return
            task, done, total, unit, remark = state
            pace = _pace(paces, task, done).text(done, total, unit)
            if task not in tasks:
                tasks[task] = bars.add_task(task, total=total, pace="")
            bars.update(tasks[task], completed=done, total=total, pace=f"{pace}  {remark}")

        yield show


def _pace(paces: dict[str, Pace], task: str, done: float) -> Pace:
    """A task's pace; a new one when a task of the same name begins from 0 again."""
    if done == 0 or task not in paces:
        paces[task] = Pace()
    return paces[task]


def _state(event: Event[Any]) -> tuple[str, float, float | None, str, str] | None:
    """Task, done, total, unit and a remark of the events that move a bar."""
    if isinstance(event, Progress):
        return event.task, event.done, event.total, event.unit, ""
    if isinstance(event, Step):
        return "train", event.step, event.total, "it", _learning(event)
    return None


def _learning(step: Step) -> str:
    return f"loss {step.loss:.4f} (mean {step.smoothed:.4f})  lr {step.learning_rate:.2g}"


def _remark(event: Event[Any]) -> str:
    if isinstance(event, Preview):
        return f"preview at step {event.step}: {event.path}"
    return event.message if isinstance(event, Notice) else str(event)


def _content(event: Event[Any]) -> dict[str, Any]:
    from dataclasses import fields

    return {field.name: getattr(event, field.name) for field in fields(event)}


def _amount(done: float, total: float | None, unit: str) -> str:
    if unit == "B":
        return size_text(done) if total is None else f"{size_text(done)} of {size_text(total)}"
    return f"{done:g} {unit}" if total is None else f"{done:g}/{total:g} {unit}"


def _rate(per_second: float, unit: str) -> str:
    return f"{size_text(per_second)}/s" if unit == "B" else f"{per_second:.2f} {unit}/s"


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
