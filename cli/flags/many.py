"""Many pictures of one request: grids, matrices, lists, and prompts that leave something to chance."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from modelhub.errors import BadValue

if TYPE_CHECKING:
    from inference.request import GenerationRequest
    from inference.series import Series

__all__ = ["ManyFlags"]


@dataclass(frozen=True, slots=True)
class ManyFlags:
    """At most one of the first four."""

    section: ClassVar = "Side by side"

    grid: Annotated[
        list[str] | None,
        typer.Option(
            metavar="AXIS=VALUES", help='Draw with each value, e.g. "Steps=10-30 (+10)"; up to three: x, y, z.'
        ),
    ] = None
    matrix: Annotated[
        bool, typer.Option("--matrix", help='Draw "a cat | in snow | at night" with every set of its parts.')
    ] = False
    prompts: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw each line; --steps 20 and the like change more.")
    ] = None
    every: Annotated[bool, typer.Option("--every-choice", help="Draw all that {a|b} and __wildcards__ offer.")] = False
    margin: Annotated[int, typer.Option(min=0, help="Pixels between the cells of a grid or matrix.")] = 0

    def series(
        self, request: "GenerationRequest", *, wildcards: Path, endless: bool, literal: bool = False
    ) -> "Series":
        """What the request comes to; `wildcards` is the folder of their files.

        Nothing is left to chance in `literal` prompts: what looks like a choice there is to be drawn so.
        """
        from inference import series
        from inference.chance import every_way, one_way_each, with_seeds
        from inference.grid.grid import read_grid
        from inference.grid.matrix import read_matrix
        from inference.grid.prompts_file import read_prompts
        from inference.grid.sheets import grid_series, matrix_series
        from inference.prompt.wildcards import Wildcards

        self._check(endless)
        files = Wildcards(wildcards)

        def ways(one: "GenerationRequest") -> "list[GenerationRequest]":
            return [one] if literal else one_way_each(one, files)

        if self.grid:
            (request,) = ways(request.model_copy(update={"batch": 1, "count": 1}))
            return grid_series(read_grid(self.grid), request, margin=self.margin)
        if self.matrix:
            return matrix_series(read_matrix(request.prompt), request, margin=self.margin)
        if self.prompts:
            given = read_prompts(self.prompts, request)
            return series.listed(one for each in given for one in one_way_each(each, files))
        if self.every:
            return series.listed(every_way(request, files))
        if endless:
            return series.endless(with_seeds(request), ways)
        return series.listed(ways(request))

    def _check(self, endless: bool) -> None:
        given = {
            "--grid": self.grid,
            "--matrix": self.matrix,
            "--prompts": self.prompts,
            "--every-choice": self.every,
            "--count 0": endless,
        }
        names = [name for name, there in given.items() if there]
        if len(names) > 1:
            raise BadValue(f"{' and '.join(names)} do not go together", mend="modelhub generate --help")
