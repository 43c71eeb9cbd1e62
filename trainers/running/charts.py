"""Lines over numbers, as a picture: enough to see how a training goes, without a plotting library."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from PIL import Image, ImageDraw, ImageFont

__all__ = ["Axis", "Line", "Point", "chart"]

_SIZE = (1000, 560)
"""Px."""
_FINER = 2
"""Drawn so many times larger, and shrunk, so that slanted lines are smooth."""
_LEFT, _TOP, _RIGHT, _BOTTOM = 84, 56, 24, 56
_INK, _FAINT, _GRID, _PAPER = "#202428", "#5a6470", "#e4e7eb", "#ffffff"
_TICKS = 6

Point: TypeAlias = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Line:
    """Points in order of what is across; of not one number (NaN, infinity) nothing is drawn."""

    label: str
    points: Sequence[Point]
    color: str
    width: float = 1.0
    """Px; 0 draws dots alone."""
    dots: float = 0.0
    """Px across."""


@dataclass(frozen=True, slots=True)
class Axis:
    """One direction of a chart."""

    label: str
    low: float
    high: float
    logarithmic: bool = False

    def share(self, value: float) -> float:
        """0 at its low end, 1 at its high end; beyond it, the end."""
        low, high, value = (math.log10(one) if self.logarithmic else one for one in (self.low, self.high, value))
        return min(max((value - low) / ((high - low) or 1.0), 0.0), 1.0)

    def ticks(self) -> list[float]:
        """Round numbers between its ends."""
        if self.logarithmic:
            powers = range(math.ceil(math.log10(self.low)), math.floor(math.log10(self.high)) + 1)
            return [10.0**power for power in powers]
        step = _round_step((self.high - self.low) / _TICKS)
        first = math.ceil(self.low / step - 1e-9)
        return [index * step for index in range(first, math.floor(self.high / step + 1e-9) + 1)]


def chart(
    title: str, lines: Sequence[Line], across: Axis, up: Axis, *, marks: Sequence[tuple[float, str]] = ()
) -> Image.Image:
    """A PNG's worth of lines; `marks` are places across that a dashed line and a word stand at."""
    picture = _Picture(across, up)
    picture.frame(title)
    for line in lines:
        picture.line(line)
    for place, word in marks:
        picture.mark(place, word)
    picture.legend(lines)
    return picture.image.resize(_SIZE, Image.Resampling.LANCZOS)


class _Picture:
    """What is drawn on, in the finer pixels."""

    def __init__(self, across: Axis, up: Axis) -> None:
        self.image = Image.new("RGB", (_SIZE[0] * _FINER, _SIZE[1] * _FINER), _PAPER)
        self._draw = ImageDraw.Draw(self.image)
        self._across, self._up = across, up
        self._font, self._large = (ImageFont.load_default(size * _FINER) for size in (13, 17))

    def frame(self, title: str) -> None:
        """Title, grid, and the numbers of both axes."""
        self._text((_LEFT, 16), title, self._large, _INK)
        for value in self._up.ticks():
            y = self._y(value)
            self._stroke([(_LEFT, y), (_SIZE[0] - _RIGHT, y)], _GRID, 1)
            self._text((_LEFT - 10, y), _number(value), self._font, _FAINT, "rm")
        for value in self._across.ticks():
            x = self._x(value)
            self._stroke([(x, _TOP), (x, _SIZE[1] - _BOTTOM)], _GRID, 1)
            self._text((x, _SIZE[1] - _BOTTOM + 8), _number(value), self._font, _FAINT, "ma")
        self._text(((_LEFT + _SIZE[0] - _RIGHT) / 2, _SIZE[1] - 26), self._across.label, self._font, _INK, "ma")
        self._text((_LEFT, _TOP - 18), self._up.label, self._font, _INK, "la")

    def line(self, line: Line) -> None:
        points = [(self._x(x), self._y(y)) for x, y in line.points if math.isfinite(x) and math.isfinite(y)]
        if line.width and len(points) > 1:
            self._stroke(points, line.color, line.width)
        for x, y in points if line.dots else ():
            radius = line.dots / 2
            self._draw.ellipse([one * _FINER for one in (x - radius, y - radius, x + radius, y + radius)], line.color)

    def mark(self, place: float, word: str) -> None:
        x = self._x(place)
        for y in range(_TOP, _SIZE[1] - _BOTTOM, 10):
            self._stroke([(x, y), (x, y + 5)], _FAINT, 1.5)
        is_right = x > _SIZE[0] * 0.7
        self._text((x + (-6 if is_right else 6), _TOP + 6), word, self._font, _INK, "ra" if is_right else "la")

    def legend(self, lines: Sequence[Line]) -> None:
        x: float = _SIZE[0] - _RIGHT
        for line in reversed([one for one in lines if one.label]):
            self._text((x, 20), line.label, self._font, _INK, "ra")
            x -= self._font.getlength(line.label) / _FINER + 8
            self._stroke([(x - 22, 28), (x, 28)], line.color, max(line.width, 3))
            x -= 44

    def _x(self, value: float) -> float:
        return _LEFT + self._across.share(value) * (_SIZE[0] - _LEFT - _RIGHT)

    def _y(self, value: float) -> float:
        return _SIZE[1] - _BOTTOM - self._up.share(value) * (_SIZE[1] - _TOP - _BOTTOM)

    def _stroke(self, points: Sequence[Point], color: str, width: float) -> None:
        finer = [(x * _FINER, y * _FINER) for x, y in points]
        self._draw.line(finer, color, round(width * _FINER), joint="curve")

    def _text(self, place: Point, text: str, font: object, color: str, anchor: str = "la") -> None:
        self._draw.text((place[0] * _FINER, place[1] * _FINER), text, color, font, anchor)  # type: ignore[arg-type]


def _round_step(wanted: float) -> float:
    """1, 2 or 5 times a power of ten, near what is wanted."""
    power = 10.0 ** math.floor(math.log10(wanted)) if wanted > 0 else 1.0
    return power * next((factor for factor in (1, 2, 5) if wanted <= factor * power), 10)


def _number(value: float) -> str:
    return f"{round(value, 10):,g}" if value == 0 or 1e-3 <= abs(value) < 1e6 else f"{value:.0e}".replace("e-0", "e-")
