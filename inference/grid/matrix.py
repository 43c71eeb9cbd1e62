"""Prompt matrix: a prompt with every set of its optional parts, ``a cat | in snow | at night``."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from inference.request import GenerationRequest
from modelhub.errors import BadValue

__all__ = ["Matrix", "read_matrix"]

_MOST = 8


@dataclass(frozen=True, slots=True)
class Matrix:
    """What always stands in a prompt, and what may."""

    always: str
    parts: tuple[str, ...]

    @property
    def columns(self) -> tuple[tuple[bool, ...], ...]:
        """Which of the first half of the parts stand in a column's prompts."""
        return _ways((len(self.parts) + 1) // 2)

    @property
    def rows(self) -> tuple[tuple[bool, ...], ...]:
        """Which of the other parts stand in a row's."""
        return _ways(len(self.parts) // 2)

    def labels(self, ways: Sequence[Sequence[bool]], first: int) -> tuple[str, ...]:
        """What stands above the columns (`first` = 0), or beside the rows (`first` = number of the columns' parts)."""
        return tuple(
            ", ".join(part for part, there in zip(self.parts[first:], way, strict=False) if there) or "-"
            for way in ways
        )

    def requests(self, request: GenerationRequest) -> tuple[GenerationRequest, ...]:
        """Row by row, all with the one seed."""
        ways = [(*column, *row) for row, column in product(self.rows, self.columns)]
        return tuple(request.model_copy(update={"prompt": self._prompt(way), "batch": 1, "count": 1}) for way in ways)

    def _prompt(self, way: Sequence[bool]) -> str:
        return ", ".join([self.always, *(part for part, there in zip(self.parts, way, strict=True) if there)])


def read_matrix(prompt: str) -> Matrix:
    """Divided at ``|``; raises `BadValue` where that gives no choice, or too many."""
    always, *parts = (part.strip() for part in prompt.split("|"))
    if not parts:
        raise BadValue("a matrix takes a prompt of several parts", mend='write "a cat | in snow | at night"')
    if len(parts) > _MOST:
        raise BadValue(f"{len(parts)} optional parts come to {2 ** len(parts)} pictures", mend=f"give {_MOST} at most")
    return Matrix(always, tuple(parts))


def _ways(count: int) -> tuple[tuple[bool, ...], ...]:
    """All sets of so many parts, the first part changing first."""
    return tuple(tuple(reversed(way)) for way in product((False, True), repeat=count))
