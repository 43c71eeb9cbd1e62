"""Which size an image is trained at, and in which batches (pure; kohya's rules).

Images keep their aspect ratio: each goes to the bucket of nearest aspect and about the same area, is scaled to
cover it, and is cut in its centre.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from modelhub.errors import BadValue

__all__ = ["Placement", "batches", "bucket_sizes", "default_step", "place"]


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


def batches(buckets: Sequence[tuple[int, int]], batch: int, *, seed: int, epoch: int) -> list[list[int]]:
    """One epoch: indices of samples in batches of one bucket each, in an order of its own.

    A bucket's last batch may be short; no sample is dropped or doubled.
    """
    order = random.Random(f"{seed}/{epoch}/order")
    by_bucket: dict[tuple[int, int], list[int]] = {}
    for index, bucket in enumerate(buckets):
        by_bucket.setdefault(bucket, []).append(index)
    found = []
    for members in by_bucket.values():
        order.shuffle(members)
        found += [members[start : start + batch] for start in range(0, len(members), batch)]
    order.shuffle(found)
    return found
