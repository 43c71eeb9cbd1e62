"""Grids and matrices as series: every cell is drawn and kept, and a labelled sheet of them all comes last."""

from collections.abc import Mapping
from dataclasses import replace

from PIL import Image

from inference.grid.grid import Grid
from inference.grid.matrix import Matrix
from inference.images.plot import Plot, plotted
from inference.infotext.words import quoted
from inference.picture import Picture
from inference.request import GenerationRequest
from inference.series import Series, Turn

__all__ = ["grid_series", "matrix_series"]


def grid_series(grid: Grid, request: GenerationRequest, *, margin: int = 0) -> Series:
    """Cell by cell, in the order that loads least; the sheet says in its parameters what the axes are."""
    drawn: dict[tuple[int, ...], Picture] = {}
    cells = grid.cells(request)
    for number, cell in enumerate(cells, start=1):
        (drawn[cell.place],) = yield Turn(cell.request, f"cell {number} of {len(cells)}")
    columns, rows, sheets = grid.shape
    across, down, behind, *_ = [*(along.labels for along in grid.axes), ("",), ("",), ("",)]
    places = {(*place, 0, 0)[:3]: picture.image for place, picture in drawn.items()}
    plots = [
        Plot(across, down, [[places[x, y, z] for x in range(columns)] for y in range(rows)], title=behind[z])
        for z in range(sheets)
    ]
    return (_sheet(plotted(plots, margin=margin), drawn[min(drawn)], grid.texts()),)


def matrix_series(matrix: Matrix, request: GenerationRequest, *, margin: int = 0) -> Series:
    """Row by row."""
    drawn: list[Picture] = []
    requests = matrix.requests(request)
    for number, one in enumerate(requests, start=1):
        # the first one decides an open seed for all
        asked = one.model_copy(update={"seed": drawn[0].seed}) if drawn else one
        drawn += yield Turn(asked, f"cell {number} of {len(requests)}")
    width = len(matrix.columns)
    plot = Plot(
        matrix.labels(matrix.columns, 0),
        matrix.labels(matrix.rows, len(matrix.columns[0])),
        [[one.image for one in drawn[start : start + width]] for start in range(0, len(drawn), width)],
    )
    return (_sheet(plotted([plot], margin=margin), drawn[0], {"Script": "Prompt matrix"}),)


def _sheet(image: Image.Image, first: Picture, said: Mapping[str, str]) -> Picture:
    """A picture with the parameters of its first cell, and what makes a sheet of it."""
    return replace(first, image=image, infotext=_with_fields(first.infotext, said), path=None)


def _with_fields(infotext: str, said: Mapping[str, str]) -> str:
    """webui puts what its scripts say before the version."""
    front, version, end = infotext.rpartition(", Version: ")
    return front + "".join(f", {key}: {quoted(value)}" for key, value in said.items()) + version + end
