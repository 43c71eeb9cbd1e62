"""Where each picture would go: bucket, enlargement, and what is cut off (pure)."""

from collections.abc import Iterator
from dataclasses import dataclass

from trainers.dataset.nouns import Glance
from trainers.doctor.nouns import Orders, Picture, Seen
from trainers.framing.buckets import Placement, bucket_sizes, default_step, place

__all__ = ["Placed", "placed"]


@dataclass(frozen=True, slots=True)
class Placed:
    """A picture in its bucket at one resolution."""

    picture: Picture
    size: tuple[int, int]
    resolution: int
    placement: Placement

    @property
    def enlarged(self) -> float:
        """How often longer its sides become; below 1 it is shrunk."""
        return max(scaled / side for scaled, side in zip(self.placement.scaled, self.size, strict=True))

    @property
    def cut_off(self) -> float:
        """Share of the picture that the bucket does not show."""
        (width, height), (across, down) = self.placement.bucket, self.placement.scaled
        return max(0.0, 1 - width * height / (across * down))


def placed(seen: Seen) -> Iterator[Placed]:
    """Every readable picture at every resolution."""
    sizes: dict[int, list[tuple[int, int]]] = {}
    for picture, glance in seen.readable:
        for resolution in _resolutions(picture, seen.orders):
            step = seen.orders.bucket_step or default_step(resolution)
            if resolution not in sizes:
                sizes[resolution] = _sizes(resolution, step, seen.orders)
            placement = _place(glance, sizes[resolution], resolution, step, seen.orders)
            yield Placed(picture, glance.size, resolution, placement)


def _resolutions(picture: Picture, orders: Orders) -> tuple[int, ...]:
    own = picture.subset.resolution
    return orders.resolutions if own is None else own if isinstance(own, tuple) else (own,)


def _sizes(resolution: int, step: int, orders: Orders) -> list[tuple[int, int]]:
    if not orders.buckets:
        return [(resolution, resolution)]
    return bucket_sizes(resolution, step, orders.bucket_sides)


def _place(glance: Glance, sizes: list[tuple[int, int]], resolution: int, step: int, orders: Orders) -> Placement:
    """As the training places it."""
    upscale = orders.upscale or not orders.buckets
    return place(glance.size, sizes, upscale=upscale, step=step, area=resolution * resolution)
