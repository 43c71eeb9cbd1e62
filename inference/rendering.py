"""A plan to pictures: batch after batch, pass after pass."""

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass

import torch
from PIL import Image
from torch import Tensor

from inference.act import Act, first_act, second_act
from inference.engine import Engine
from inference.faces.restore import restoring
from inference.hires import enlarged
from inference.images.png import to_image
from inference.infotext.write import infotext
from inference.memory import estimate, giga, largest_size
from inference.over.start import Begin, canvases
from inference.picture import Picture
from inference.plan import LoadPlan
from inference.request import ImageSeed
from inference.tiles import upscaled
from modelhub.errors import ModelHubError, OutOfResources
from modelhub.jobs import Notice, Progress

__all__ = ["render"]


def render(plan: LoadPlan, engine: Engine) -> Iterator[Progress | Notice | Picture]:
    """Draw a plan's images, a batch at a time; nothing is saved.

    A batch that the memory cannot hold is drawn in halves, which changes no picture.
    """
    if plan.request.tiles:
        yield from upscaled(plan, plan.request.tiles, engine, render)
        return
    batches = _Batches.of(plan, engine)
    seeds, batch = plan.seeds, plan.request.batch
    left = [seeds[start : start + batch] for start in range(0, len(seeds), batch)]
    is_alone = False
    while left:
        some = left.pop(0)
        images = yield from _unless_full(batches.draw(some, task=_task(some, plan)))
        if images is not None:
            for seed, image in zip(some, images, strict=True):
                yield Picture(image, seed.number, infotext(plan, seed), plan.request.for_image(seed))
        elif len(some) > 1:
            half = len(some) // 2
            left[:0] = [some[:half], some[half:]]
            yield Notice(f"the memory does not hold {len(some)} images at a time: going on with {len(some) - half}")
        elif is_alone:
            raise _too_large(plan, engine)
        else:
            is_alone = True
            engine.forget_all_but(one for one in (plan.base, plan.hires, plan.refiner) if one)
            left.insert(0, some)


@dataclass(frozen=True, slots=True)
class _Batches:
    """Draws one batch after the other."""

    plan: LoadPlan
    engine: Engine
    first: Act
    second: Act | None
    faces: Callable[[Image.Image], Image.Image]
    rounds: Sequence[Begin]

    @classmethod
    def of(cls, plan: LoadPlan, engine: Engine) -> "_Batches":
        first = first_act(plan, engine)
        return cls(
            plan, engine, first, second_act(plan, engine), restoring(plan.faces, engine), canvases(plan, first, engine)
        )

    def draw(self, seeds: Sequence[ImageSeed], *, task: str) -> Generator[Progress, None, list[Image.Image]]:
        """The images of some seeds, together."""
        images: list[Image.Image] = []
        for begin in self.rounds:
            canvas = begin(seeds, images)
            latents = yield from self.first.draw(seeds, canvas, task=task)
            if self.second:
                larger = enlarged(self.plan, latents, self.engine)
                latents = yield from self.second.draw(seeds, larger, task=f"{task}, second pass")
            decoded = map(_image, seeds, self.engine.decode(self.plan.hires or self.plan.base, latents))
            images = [canvas.finished(self.faces(image), latents[index], index) for index, image in enumerate(decoded)]
        return images


def _unless_full(
    drawing: Generator[Progress, None, list[Image.Image]],
) -> Generator[Progress, None, list[Image.Image] | None]:
    """None where the memory is full; what was begun is let go of then."""
    try:
        return (yield from drawing)
    except torch.OutOfMemoryError:
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        return None


def _task(seeds: Sequence[ImageSeed], plan: LoadPlan) -> str:
    start = plan.seeds.index(seeds[0])
    return f"images {start + 1}-{start + len(seeds)} of {plan.request.images}"


def _too_large(plan: LoadPlan, engine: Engine) -> OutOfResources:
    """What to say where one image alone does not fit, and what would."""
    needed = estimate(plan, engine.itemsize, batch=1)
    size = largest_size(plan, engine.itemsize, engine.room)
    mend = f"modelhub generate ... --size {size[0]}x{size[1]}" if size else "modelhub generate ... --device cpu"
    return OutOfResources(f"the memory is full: one image needs {needed}, and {giga(engine.room)} are there", mend=mend)


def _image(seed: ImageSeed, pixels: Tensor) -> Image.Image:
    if not pixels.isfinite().all():
        raise ModelHubError(
            f"the image of seed {seed.number} came out as NaN: the weights overflow in half precision, or are broken",
            mend="modelhub verify, then on a GPU: modelhub generate ... --device cpu",
        )
    return to_image(pixels)
