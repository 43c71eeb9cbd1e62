"""Renderings that belong together: what is drawn next may depend on what was drawn, and a whole may come of the parts.

One series is one run of the catalog: a single request, a list, an endless one, a grid, tiles, a loop.
"""

import itertools
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from typing import TypeAlias

from inference.picture import Picture
from inference.request import GenerationRequest

__all__ = ["Series", "Turn", "endless", "listed"]


@dataclass(frozen=True, slots=True)
class Turn:
    """What a series asks for next."""

    request: GenerationRequest
    task: str = ""
    """What it is called where progress is shown; nothing where it is the only one."""
    kept: bool = True
    """Whether its pictures are saved; if not, the series alone gets them."""
    told: bool = False
    """Whether to say at once where they are: a series that does not end says it nowhere else."""


Series: TypeAlias = Generator[Turn, tuple[Picture, ...], tuple[Picture, ...]]
"""Yields turns, is sent the pictures of each, and returns those that were made of the others: a sheet, a whole."""


def listed(requests: Iterable[GenerationRequest]) -> Series:
    """One after the other."""
    given = list(requests)
    for number, request in enumerate(given, start=1):
        yield Turn(request, f"{number} of {len(given)}" if len(given) > 1 else "")
    return ()


def endless(request: GenerationRequest, decided: Callable[[GenerationRequest], Iterable[GenerationRequest]]) -> Series:
    """Batch after batch, until somebody stops it; the seeds, which are given, count up.

    `decided` chooses each batch's words.
    """
    for number in itertools.count(1):
        for one in decided(request.model_copy(update={"count": 1})):
            yield Turn(one, f"batch {number}", told=True)
        following = request.model_copy(update={"count": 2}).seeds[request.batch]
        request = request.for_image(following).model_copy(update={"batch": request.batch})
    return ()
