"""What each batch of a plan begins on, and goes on with."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from PIL import Image
from torch import Tensor

from inference.act import Act
from inference.canvas import Canvas
from inference.engine import Engine
from inference.over.ground import prepared
from inference.over.laying import Laid, laid
from inference.over.masks import hole
from inference.over.outpaint import Side, all_at_once, sides
from inference.over.resizing import Enlarge, flattened, lanczos
from inference.plan import LoadPlan
from inference.plan.pictures import upright
from inference.request import ImageSeed, Init
from inference.upscalers.enlarge import enlarge

__all__ = ["Begin", "canvases"]


Begin = Callable[[Sequence[ImageSeed], Sequence[Image.Image]], Canvas]
"""(seeds of a batch, its images so far) -> what is drawn on next."""


def canvases(plan: LoadPlan, act: Act, engine: Engine) -> list[Begin]:
    """What a batch is drawn on, one after the other: mostly one, and its picture is encoded once for all batches."""
    init = plan.request.init
    if init is None:
        return [lambda _seeds, _images: Canvas(plan.size)]
    picture = upright(plan.inputs.open(init.image))
    if init.outpaint and init.outpaint.method == "mk2":
        flat = flattened(picture, init.background)
        return [_growing(side, flat, init, plan, act, engine) for side in sides(init.outpaint, flat.size)]
    if init.outpaint:
        ground = all_at_once(flattened(picture, init.background), init.outpaint)
    else:
        mask = _mask(init, plan, picture)
        ground = prepared(init, plan.size, picture, mask, _enlarging(init, plan, engine))
    old = laid((ground,), init, plan.base, engine)

    def over(seeds: Sequence[ImageSeed], _images: Sequence[Image.Image]) -> Canvas:
        return _canvas(old, seeds, act)

    return [over]


def _growing(side: Side, picture: Image.Image, init: Init, plan: LoadPlan, act: Act, engine: Engine) -> Begin:
    """One side, of each image as the sides before have left it."""

    def over(seeds: Sequence[ImageSeed], images: Sequence[Image.Image]) -> Canvas:
        parts = [side.ground(one, plan.size) for one in images or (picture,)]
        old = laid(tuple(ground for ground, _ in parts), init, plan.base, engine)
        canvas = _canvas(old, seeds, act)

        def set_in(image: Image.Image, latents: Tensor, index: int) -> Image.Image:
            return parts[index % len(parts)][1](canvas.finished(image, latents, index))

        return replace(canvas, finished=set_in)

    return over


def _canvas(old: Laid, seeds: Sequence[ImageSeed], act: Act) -> Canvas:
    size = old.grounds[0].size
    return old.canvas(lambda: act.noise(seeds, size).draw(), before=act.way.sampler.unit_start)


def _enlarging(init: Init, plan: LoadPlan, engine: Engine) -> Enlarge:
    if init.upscaler is None:
        return lanczos
    upscaler = plan.upscalers[init.upscaler]
    return lambda image, size: enlarge(image, size, upscaler, engine)


def _mask(init: Init, plan: LoadPlan, picture: Image.Image) -> Image.Image | None:
    if init.mask is None:
        return None
    return upright(plan.inputs.open(init.mask.image)) if init.mask.image else hole(picture)
