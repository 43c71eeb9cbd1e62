"""The copies of a picture that a training shows: mirrored, cut elsewhere, in other colours."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from trainers.chance import dice
from trainers.dataset import Sample
from trainers.framing.buckets import Placement
from trainers.framing.views import Item, View

__all__ = ["Colouring", "colouring", "variations", "view_of", "views_of"]

_SHARE = 1 / 3
_TURN = 8 / 180
_GAMMAS = (0.95, 1.05)


@dataclass(frozen=True, slots=True)
class Colouring:
    """How a copy's colours are changed."""

    turn: float = 0.0
    """Of the hues, in whole circles."""
    gamma: float = 1.0
    """Exponent of every value between 0 and 1."""


def variations(sample: Sample) -> int:
    """So many differently cut and coloured copies there are."""
    augment = sample.subset.augment
    return augment.variations if augment.color or augment.crop == "random" else 1


def view_of(item: Item, sample: Sample, *, variation: int = 0, mirrored: bool = False) -> View:
    """One copy; where it is cut hangs on the picture's digest, so its latents can be kept."""
    placement = item.placement
    if sample.subset.augment.crop == "random":
        placement = replace(placement, crop=_crop(placement, sample, variation))
    return View(item.sample, placement, mirrored, variation)


def views_of(item: Item, sample: Sample) -> Iterator[View]:
    """All that a step may ask for."""
    for variation in range(variations(sample)):
        for mirrored in (False, True) if sample.subset.augment.flip else (False,):
            yield view_of(item, sample, variation=variation, mirrored=mirrored)


def colouring(sample: Sample, variation: int) -> Colouring:
    """Of one copy: a third of them are changed, in hue or in brightness, as kohya does."""
    chance = dice(sample.sha256, variation, "colour")
    if not sample.subset.augment.color or chance.random() >= _SHARE:
        return Colouring()
    if chance.random() < 0.5:
        return Colouring(turn=chance.uniform(-_TURN, _TURN))
    return Colouring(gamma=chance.uniform(*_GAMMAS))


def _crop(placement: Placement, sample: Sample, variation: int) -> tuple[int, int]:
    chance = dice(sample.sha256, variation, placement.bucket, "crop")
    (width, height), (across, down) = placement.scaled, placement.bucket
    return chance.randint(0, width - across), chance.randint(0, height - down)
