"""A picture drawn over again and again, each time from the last result (webui: Loopback)."""

import math
from collections.abc import Callable, Generator, Mapping
from dataclasses import replace

from inference.chance import with_seeds
from inference.images.inputs import Inputs
from inference.picture import Picture
from inference.request import SEEDS, GenerationRequest, Init
from inference.series import Series, Turn
from modelhub.errors import BadValue

__all__ = ["CURVES", "denoise_at", "looped"]

CURVES: Mapping[str, Callable[[float], float]] = {
    "linear": lambda share: share,
    "aggressive": lambda share: math.sin(share * math.pi / 2),
    "lazy": lambda share: 1 - math.cos(share * math.pi / 2),
}
"""Share of the loops that is over -> share of the way from the first strength to the last."""


def looped(series: Series, loops: int, *, final: float | None, curve: str, inputs: Inputs) -> Series:
    """A series whose pictures are drawn over `loops` times each, with seeds that count up; it is sent the last ones.

    `final` is the last strength, None the first one's. All results are kept, in `inputs` too, so that each can be
    drawn again. Raises `BadValue` without a picture to begin with.
    """
    drawn: tuple[Picture, ...] | None = None
    try:
        while True:
            turn = next(series) if drawn is None else series.send(drawn)
            drawn = yield from _chains(turn, loops, final, curve, inputs)
    except StopIteration as end:
        made: tuple[Picture, ...] = end.value
        return made
    finally:
        series.close()


def denoise_at(loop: int, loops: int, *, first: float, final: float, curve: str) -> float:
    """The strength of a loop, counted from 0; raises `BadValue` for a curve that nobody knows."""
    if curve not in CURVES:
        raise BadValue(f"{curve!r} is no curve ({', '.join(CURVES)})")
    if loops == 1:
        return first
    return first + (final - first) * CURVES[curve](loop / (loops - 1))


def _chains(
    turn: Turn, loops: int, final: float | None, curve: str, inputs: Inputs
) -> Generator[Turn, tuple[Picture, ...], tuple[Picture, ...]]:
    request = with_seeds(turn.request)
    first = _init_of(request).denoise
    last = first if final is None else final
    strengths = [denoise_at(loop, loops, first=first, final=last, curve=curve) for loop in range(loops)]
    ends: list[Picture] = []
    for chain in range(request.images):
        picture, init = None, _init_of(request)
        for loop, denoise in enumerate(strengths):
            init = _over(picture, init, inputs).model_copy(update={"denoise": denoise})
            own = {"seed": (request.seed + chain * loops + loop) % SEEDS, "batch": 1, "count": 1, "init": init}
            task = f"{turn.task or f'picture {chain + 1} of {request.images}'}, loop {loop + 1} of {loops}"
            (picture,) = yield replace(turn, request=request.model_copy(update=own), task=task)
        if picture:
            ends.append(picture)
    return tuple(ends)


def _init_of(request: GenerationRequest) -> Init:
    if request.init is None:
        raise BadValue("there is no picture to draw over", mend="modelhub generate ... --init FILE --loopback 4")
    return request.init


def _over(picture: Picture | None, init: Init, inputs: Inputs) -> Init:
    """The result, if there is one, in the place of what it was drawn from; what filled the mask fills it once."""
    if picture is None:
        return init
    mask = init.mask
    if mask and mask.content == "fill":
        mask = mask.model_copy(update={"content": "original"})
    return init.model_copy(update={"image": inputs.write(picture.image), "mask": mask})
