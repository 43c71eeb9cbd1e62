"""Charts have round numbers at their sides and lines where the numbers say."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageColor

from trainers.learning.smoothing import smoothed
from trainers.running.charts import Axis, Line, chart
from trainers.running.plot import write_plot
from trainers.running.runs import RunFolder


def has_color(image: Image.Image, color: str) -> np.ndarray:
    """Pixels near a colour."""
    return (np.abs(np.asarray(image).astype(int) - ImageColor.getrgb(color)).sum(-1)) < 30


@pytest.mark.parametrize(
    ("axis", "ticks"),
    [
        (Axis("step", 0, 100), [0, 20, 40, 60, 80, 100]),
        (Axis("loss", 0.03, 0.26), [0.05, 0.1, 0.15, 0.2, 0.25]),
        (Axis("rate", 1e-6, 1e-2, logarithmic=True), [1e-6, 1e-5, 1e-4, 1e-3, 1e-2]),
    ],
)
def test_numbers_at_an_axis_are_round(axis: Axis, ticks: list[float]) -> None:
    assert axis.ticks() == pytest.approx(ticks)


def test_a_place_between_the_ends_is_a_share() -> None:
    assert Axis("loss", 2, 4).share(2.5) == 0.25
    assert Axis("rate", 1e-4, 1, logarithmic=True).share(1e-2) == pytest.approx(0.5)
    assert Axis("loss", 2, 4).share(9) == 1.0
    assert Axis("loss", 2, 2).share(2) == 0.0


def test_a_falling_line_falls() -> None:
    line = Line("loss", [(0, 1.0), (5, 0.5), (10, 0.0)], "#1f5fa8", width=3)
    image = chart("", [line], Axis("step", 0, 10), Axis("loss", 0, 1))

    rows, columns = np.nonzero(has_color(image, "#1f5fa8")[60:])
    assert np.corrcoef(columns, rows)[0, 1] > 0.99


def test_what_is_no_number_is_not_drawn() -> None:
    line = Line("loss", [(0, 1.0), (1, math.nan), (2, math.inf), (3, 0.5)], "#1f5fa8", width=2, dots=6)

    assert chart("", [line], Axis("step", 0, 3), Axis("loss", 0, 1)).size == (1000, 560)


def test_smoothing_begins_with_the_first_value_and_keeps_a_constant() -> None:
    assert smoothed([(1, 4.0), (2, 4.0), (3, 4.0)], share=0.9) == [(1, 4.0), (2, 4.0), (3, 4.0)]
    jumping = [(step, float(step % 2)) for step in range(1, 201)]
    course = smoothed(jumping, share=0.2)
    assert course[0] == (1, 1.0)
    assert course[-1][1] == pytest.approx(0.5, abs=0.05)


def test_a_run_has_its_losses_and_those_of_held_out_pictures_drawn(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    rows = [{"step": step, "loss": 1 / step, "learning_rate": 1e-4} for step in range(1, 50)]
    folder.losses.write_text("".join(json.dumps(row) + "\n" for row in rows))
    write_plot(folder)
    with Image.open(folder.plot) as image:
        assert not has_color(image.convert("RGB"), "#d1600a").any()

    folder.note_validation(20, 0.3)
    folder.note_validation(40, 0.2)
    write_plot(folder)

    with Image.open(folder.plot) as image:
        assert has_color(image.convert("RGB"), "#d1600a").any()


def test_a_run_without_losses_has_no_picture(tmp_path: Path) -> None:
    write_plot(RunFolder(tmp_path))

    assert not RunFolder(tmp_path).plot.exists()
