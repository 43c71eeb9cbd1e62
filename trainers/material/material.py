"""What a training learns from, ready to be batched."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from torch import Tensor

from modelhub.families import Latent
from trainers.caches import CachedLatents
from trainers.chance import dice
from trainers.dataset import Sample
from trainers.framing.augment import variations, view_of
from trainers.framing.views import Item, View, listed

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
    tells_sizes: bool = False
    """Whether the denoiser is told the sizes and crops of pictures (SDXL)."""

    def epoch(self, number: int) -> list[int]:
        """Items of an epoch, before they are shuffled: each as often as it is repeated."""
        return listed(self.items, number)

    def view(self, item: int, *, seed: int, step: int, place: int) -> View:
        """How an item is shown at a place in a step's batch."""
        one = self.items[item]
        sample = self.samples[one.sample]
        mirrored = sample.subset.augment.flip and dice(seed, step, place, "mirrored").random() < 0.5
        copies = variations(sample)
        variation = dice(seed, step, place, "variation").randrange(copies) if copies > 1 else 0
        return view_of(one, sample, variation=variation, mirrored=mirrored)

    def sizes(self, view: View) -> tuple[float, ...] | None:
        """What SDXL is told of a view: height and width of the picture, top and left of the cut, its height and width.

        The cut is counted in the scaled picture as it is shown, so that a mirrored one begins where the other ends.
        kohya computes it from aspect ratios and does not know of random cuts; this is where the cut truly is.
        """
        if not self.tells_sizes:
            return None
        width, height = self.samples[view.sample].size
        across, down = view.placement.bucket
        left, top = view.placement.crop
        if view.mirrored:
            left = view.placement.scaled[0] - across - left
        return float(height), float(width), float(top), float(left), float(down), float(across)
