"""Which size an image is trained at, and in which batches (pure; kohya's rules).

Images keep their aspect ratio: each goes to the bucket of nearest aspect and about the same area, is scaled to
cover it, and is cut in its centre.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from modelhub.errors import BadValue

__all__ = ["Placement", "Step", "bucket_sizes", "default_step", "place", "steps"]

Step: TypeAlias = list[list[int]]
"""Batches whose gradients are added up; each is of one bucket, so of one shape."""


@dataclass(frozen=True, slots=True)
class Placement:
    """How one image becomes one training picture."""

    bucket: tuple[int, int]
    """Width and height in pixels."""
    scaled: tuple[int, int]
    """Size that the image is resampled to; covers the bucket."""
    crop: tuple[int, int]
    """Left and top of the bucket within it."""


def default_step(resolution: int) -> int:
    """64 pixels for models of usual size, less for small ones, always a whole number of latents."""
    return min(64, max(8, resolution // 64 * 8))


def bucket_sizes(resolution: int, step: int) -> list[tuple[int, int]]:
    """All bucket sizes of at most `resolution` squared pixels, sides multiples of `step`, from half to twice it."""
    if step > resolution:
        raise BadValue(f"buckets in steps of {step} pixels are too coarse for a resolution of {resolution}")
    area, square = resolution * resolution, resolution // step * step
    smallest, largest = -(-resolution // 2 // step) * step, resolution * 2 // step * step
    sizes = {(square, square)}
    for width in range(smallest, largest + 1, step):
        height = min(largest, area // width // step * step)
        if height >= smallest:
            sizes |= {(width, height), (height, width)}
    return sorted(sizes)


def place(size: tuple[int, int], buckets: Sequence[tuple[int, int]]) -> Placement:
    """Put an image of `size` pixels into the bucket of nearest aspect ratio, scaled to cover it, cut in the centre."""
    width, height = size
    bucket = min(buckets, key=lambda one: (abs(one[0] / one[1] - width / height), one))
    scale = max(bucket[0] / width, bucket[1] / height)
    scaled = (max(bucket[0], round(width * scale)), max(bucket[1], round(height * scale)))
    return Placement(bucket, scaled, ((scaled[0] - bucket[0]) // 2, (scaled[1] - bucket[1]) // 2))


def steps(buckets: Sequence[tuple[int, int]], batch: int, *, accumulate: int, seed: int, epoch: int) -> list[Step]:
    """One epoch: indices in batches of one bucket each, so many batches a step, in an order of its own.

    What is left over of several buckets shares steps, so that every step but an epoch's last has exactly
    `batch * accumulate` pictures: none is lost, doubled, or counts for more than another.
    """
    order = random.Random(f"{seed}/{epoch}/order")
    whole, rest = [], []
    for members in _by_bucket(buckets):
        order.shuffle(members)
        cut = len(members) - len(members) % batch
        whole += [members[start : start + batch] for start in range(0, cut, batch)]
        rest += [members[cut:]] if cut < len(members) else []
    order.shuffle(whole)
    order.shuffle(rest)
    found = _filled([*whole, *rest], batch * accumulate)
    order.shuffle(found)
    return found


def _by_bucket(buckets: Sequence[tuple[int, int]]) -> list[list[int]]:
    found: dict[tuple[int, int], list[int]] = {}
    for index, bucket in enumerate(buckets):
        found.setdefault(bucket, []).append(index)
    return list(found.values())


def _filled(batches: Sequence[list[int]], size: int) -> list[Step]:
    """Batches in steps of `size` pictures; one that is too long for its step goes on in the next."""
    found: list[Step] = []
    room = 0
    for members in batches:
        while members:
            if room == 0:
                found.append([])
                room = size
            found[-1].append(members[:room])
            room, members = max(0, room - len(members)), members[room:]
    return found
