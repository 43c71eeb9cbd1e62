"""What a training learns from, ready to be batched."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, repeat

from torch import Tensor

from modelhub.families import Latent
from trainers.caches import CachedLatents
from trainers.chance import dice
from trainers.dataset import Sample
from trainers.views import Item, View

__all__ = ["Material"]


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """Pictures as latents, and what is said of them."""

    samples: Sequence[Sample]
    items: Sequence[Item]
    latents: Mapping[View, CachedLatents]
    """Of every view that a step may ask for."""
    latent: Latent
    """The space that the denoiser works in."""
    masks: Mapping[View, Tensor] = field(default_factory=dict)
    """[1, h, w], 0 to 1, of views that are not wholly learned from."""

    def epoch(self, number: int) -> list[int]:
        """Items of an epoch, before they are shuffled: each as often as it is repeated."""
        counts = (int((number + 1) * one.repeats) - int(number * one.repeats) for one in self.items)
        return list(chain.from_iterable(repeat(index, count) for index, count in enumerate(counts)))

    def view(self, item: int, *, seed: int, step: int, place: int) -> View:
        """How an item is shown at a place in a step's batch."""
        one = self.items[item]
        augment = self.samples[one.sample].subset.augment
        mirrored = augment.flip and dice(seed, step, place, "mirrored").random() < 0.5
        return View(one.sample, one.placement, mirrored)
