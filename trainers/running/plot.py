"""The course of a training's losses, as a picture in its folder."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from trainers.learning.smoothing import smoothed
from trainers.running.charts import Axis, Line, Point, chart
from trainers.running.runs import RunFolder

__all__ = ["write_plot"]

_RAW, _SMOOTH, _VALIDATION = "#b9cfe8", "#1f5fa8", "#d1600a"
_MOST = 4000
"""Points of a line; more are thinned out, since a picture is no wider."""
_SMOOTHING, _FEWEST = 0.03, 15
"""Share of the steps that the smoothed course is a mean of, and the least number of them."""
_SHOWN = 0.99
"""Share of the raw losses that the picture reaches up to: single samples may lie far above all others."""


def write_plot(folder: RunFolder) -> None:
    """``loss.png``: each step's loss, their smoothed course, and the losses of what was held out."""
    losses = _points(folder.losses)
    if len(losses) < 2:
        return
    held_out = _points(folder.validation)
    values = sorted(value for _, value in losses)
    course = smoothed(losses, share=max(_SMOOTHING, _FEWEST / len(losses)))
    seen = [values[0], values[int(_SHOWN * (len(values) - 1))], *(value for _, value in (*course, *held_out))]
    lines = [
        Line("a step's loss", _thinned(losses), _RAW),
        Line("smoothed", _thinned(course), _SMOOTH, width=3),
        *([Line("held-out pictures", held_out, _VALIDATION, width=2, dots=9)] if held_out else []),
    ]
    room = 0.05 * (max(seen) - min(seen)) or max(seen) or 1.0
    across = Axis("step", losses[0][0], losses[-1][0])
    chart(folder.path.name, lines, across, Axis("loss", max(0.0, min(seen) - room), max(seen) + room)).save(folder.plot)


def _points(path: Path) -> list[Point]:
    """(step, loss) of each line."""
    if not path.is_file():
        return []
    rows: list[dict[str, Any]] = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [(row["step"], row["loss"]) for row in rows]


def _thinned(points: Sequence[Point]) -> Sequence[Point]:
    return points[:: -(-len(points) // _MOST)]
