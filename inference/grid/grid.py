"""A request drawn with every value of up to three axes."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from pydantic import ValidationError

from inference.grid.axes import Axis, axis
from inference.request import SEEDS, GenerationRequest
from modelhub.errors import BadValue

__all__ = ["Along", "Cell", "Grid", "read_grid"]

_MOST = 3


@dataclass(frozen=True, slots=True)
class Along:
    """One axis and the values on it."""

    axis: Axis
    said: str
    """The values as they were written."""
    values: tuple[Any, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(map(self.axis.label, self.values))


@dataclass(frozen=True, slots=True)
class Cell:
    """One picture of a grid."""

    place: tuple[int, ...]
    """Its value's number on every axis: x, y, z."""
    request: GenerationRequest


@dataclass(frozen=True, slots=True)
class Grid:
    """Up to three axes: x goes to the right, y down, z from sheet to sheet."""

    axes: tuple[Along, ...]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Columns, rows, sheets."""
        columns, rows, sheets, *_ = [*(len(along.values) for along in self.axes), 1, 1, 1]
        return columns, rows, sheets

    def cells(self, request: GenerationRequest) -> tuple[Cell, ...]:
        """In the order to draw them: what loads models changes least often.

        Raises `BadValue` for a value that a request cannot have.
        """
        if request.seed == -1:
            request = request.model_copy(update={"seed": random.randrange(SEEDS)})
        request = request.model_copy(update={"batch": 1, "count": 1})
        order = sorted(range(len(self.axes)), key=lambda number: (-self.axes[number].axis.cost, -number))
        cells = []
        for numbers in product(*(range(len(self.axes[one].values)) for one in order)):
            place = tuple(number for _, number in sorted(zip(order, numbers, strict=True)))
            cells.append(Cell(place, self._changed(request, place)))
        return tuple(cells)

    def texts(self) -> dict[str, str]:
        """What a grid's parameters say of it, beside those of its first picture (webui's words)."""
        said = {"Script": "X/Y/Z plot"}
        for letter, along in zip("XYZ", self.axes, strict=False):
            said |= {f"{letter} Type": along.axis.name, f"{letter} Values": along.said}
        return said

    def _changed(self, request: GenerationRequest, place: Sequence[int]) -> GenerationRequest:
        for along, number in zip(self.axes, place, strict=True):
            request = along.axis.change(request, along.values[number], along.values)
        try:
            return GenerationRequest.model_validate(request.model_dump())
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(map(str, first["loc"]))
            raise BadValue(f"the grid asks for {field} {first['input']!r}: {first['msg'].lower()}") from error


def read_grid(said: Sequence[str]) -> Grid:
    """From ``AXIS=VALUES``, x first; raises `BadValue` saying what is wrong."""
    if len(said) > _MOST:
        raise BadValue(f"a grid has {_MOST} axes at most, not {len(said)}")
    return Grid(tuple(map(_along, said)))


def _along(said: str) -> Along:
    name, equals, values = said.partition("=")
    if not equals:
        raise BadValue(f"{said!r} names no values", mend='write --grid "Steps=10,20,30"')
    known = axis(name)
    return Along(known, values, tuple(known.values(values)))
