"""Masks at the size of latents, on disk as the latents are."""

import hashlib
from collections.abc import Generator, Sequence
from dataclasses import astuple
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from modelhub.jobs import Progress
from trainers.caches.cutting import cut_mask
from trainers.caches.store import Counts, Store
from trainers.dataset import Sample, open_mask
from trainers.framing.views import View

__all__ = ["MaskCache"]

_SCHEMA = 1


class MaskCache:
    """A folder of masks, each pixel of which is the mean over a latent's."""

    def __init__(self, folder: Path, downscale: int) -> None:
        """`downscale` is how many pixels a latent's side has."""
        self._store = Store(folder)
        self._downscale = downscale

    @property
    def counts(self) -> Counts:
        return self._store.counts

    def fill(self, samples: Sequence[Sample], views: Sequence[View]) -> Generator[Progress, None, dict[View, Tensor]]:
        """[1, h, w], 0 to 1, of the views of pictures that have a mask."""
        masked = [view for view in views if samples[view.sample].mask]
        found: dict[View, Tensor] = {}
        for view in masked:
            found[view] = self._get(samples[view.sample], view)
            yield Progress("masks", len(found), len(masked), "images")
        return found

    def key(self, sample: Sample, view: View) -> str:
        """Everything that decides the bytes of a mask."""
        mask = sample.mask and (sample.mask.sha256, sample.mask.alpha)
        parts = (_SCHEMA, mask, sample.size, astuple(view.placement), view.mirrored, self._downscale)
        return hashlib.sha256(repr(parts).encode()).hexdigest()

    def _get(self, sample: Sample, view: View) -> Tensor:
        key = self.key(sample, view)
        if stored := self._store.get(key):
            return stored["mask"]
        mask = cut_mask(open_mask(sample), view.placement, view.mirrored, self._downscale)
        found = torch.from_numpy(np.asarray(mask, dtype=np.float32) / 255)[None]
        self._store.put(key, {"mask": found})
        return found
