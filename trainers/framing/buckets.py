"""Which size an image is trained at, and in which batches (pure; kohya's rules).

Images keep their aspect ratio: each goes to the bucket of nearest aspect and about the same area, is scaled to
cover it, and is cut in its centre.
"""

import math
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


def bucket_sizes(resolution: int, step: int, sides: tuple[int, int] | None = None) -> list[tuple[int, int]]:
    """All bucket sizes of at most `resolution` squared pixels, sides multiples of `step`.

    `sides` are the smallest and the largest side, half and twice the resolution by default.
    """
    if step > resolution:
        raise BadValue(
            f"buckets in steps of {step} pixels are too coarse for a resolution of {resolution}",
            mend=f"set dataset.bucket_step = {default_step(resolution)}",
        )
    area, square = resolution * resolution, resolution // step * step
    smallest, largest = _whole_sides(sides or (-(-resolution // 2), resolution * 2), step)
    sizes = {(square, square)}
    for width in range(smallest, largest + 1, step):
        height = min(largest, area // width // step * step)
        if height >= smallest:
            sizes |= {(width, height), (height, width)}
    return sorted(sizes)


def place(
    size: tuple[int, int], buckets: Sequence[tuple[int, int]], *,
    upscale: bool = True, step: int = 64, area: int | None = None,
) -> Placement:  # fmt: skip
    """Put an image of `size` pixels into the bucket of nearest aspect ratio, scaled to cover it, cut in the centre.

    Without `upscale` the buckets do not count: an image of more than `area` pixels (by default those of the largest
    bucket) is shrunk to them, a smaller one stays, and both are cut to whole steps. Only one that is narrower than a
    step is enlarged, and its length cut so that it has no more pixels than others.
    """
    if upscale:
        bucket = min(buckets, key=lambda one: (abs(one[0] / one[1] - size[0] / size[1]), one != size, one))
        return _cut(_covering(size, bucket), bucket)
    limit = area or max(width * height for width, height in buckets)
    kept = _shrunk(size, limit, step) if size[0] * size[1] > limit else size
    bucket = (_side(kept[0], limit, step), _side(kept[1], limit, step))
    return _cut(kept if kept[0] >= bucket[0] and kept[1] >= bucket[1] else _covering(kept, bucket), bucket)


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


def _whole_sides(sides: tuple[int, int], step: int) -> tuple[int, int]:
    """The sides between two bounds that are multiples of `step`: the smallest and the largest."""
    smallest, largest = -(-sides[0] // step) * step, sides[1] // step * step
    if not 0 < smallest <= largest:
        raise BadValue(
            f"between {sides[0]} and {sides[1]} pixels there is no multiple of {step} for the side of a bucket",
            mend="set dataset.bucket_sides to the smallest and the largest, or leave it out",
        )
    return smallest, largest


def _covering(size: tuple[int, int], bucket: tuple[int, int]) -> tuple[int, int]:
    """An image's size once it is scaled so that it just covers a bucket."""
    width, height = size
    scale = max(bucket[0] / width, bucket[1] / height)
    return max(bucket[0], int(width * scale + 0.5)), max(bucket[1], int(height * scale + 0.5))


def _cut(scaled: tuple[int, int], bucket: tuple[int, int]) -> Placement:
    return Placement(bucket, scaled, ((scaled[0] - bucket[0]) // 2, (scaled[1] - bucket[1]) // 2))


def _side(side: int, area: int, step: int) -> int:
    """In whole steps: one at least, and no more than `area` has room for beside a side of one step."""
    return max(step, min(side, area // step) // step * step)


def _shrunk(size: tuple[int, int], area: int, step: int) -> tuple[int, int]:
    """About `area` pixels, one side in whole steps: the one with which whole steps bend the aspect ratio less."""
    aspect = size[0] / size[1]
    width, height = _whole(math.sqrt(area * aspect), step), _whole(math.sqrt(area / aspect), step)
    by_width = abs(width / _whole(width / aspect, step) - aspect)
    by_height = abs(_whole(height * aspect, step) / height - aspect)
    if by_width < by_height:
        return width, max(1, int(width / aspect + 0.5))
    return max(1, int(height * aspect + 0.5)), height


def _whole(side: float, step: int) -> int:
    return max(step, int(side + 0.5) // step * step)


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
