"""What the VAE is shown, made by threads while it is at work on the pictures before."""

import os
from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import groupby

import numpy as np
import torch
from torch import Tensor

from trainers.caches.cutting import coloured, cut
from trainers.dataset import Sample
from trainers.dataset.pictures import open_image
from trainers.framing.augment import colouring
from trainers.framing.views import View

__all__ = ["pixels_ahead"]

_AHEAD = 2
"""Pictures for each core that are begun before they are asked for."""


def pixels_ahead(samples: Sequence[Sample], views: Sequence[View]) -> Generator[Tensor, None, None]:
    """[3, H, W] of bytes of each view in turn; views of one picture that follow one another open it once."""
    cores = os.cpu_count() or 1
    begun: deque[Future[list[Tensor]]] = deque()
    workers = ThreadPoolExecutor(cores)
    try:
        for sample, shown in groupby(views, key=lambda view: view.sample):
            begun.append(workers.submit(_pixels, samples[sample], list(shown)))
            if len(begun) > _AHEAD * cores:
                yield from begun.popleft().result()
        while begun:
            yield from begun.popleft().result()
    finally:
        workers.shutdown(cancel_futures=True)


def _pixels(sample: Sample, views: Sequence[View]) -> list[Tensor]:
    image = open_image(sample.path)
    cuts = (coloured(cut(image, one.placement, one.mirrored), colouring(sample, one.variation)) for one in views)
    return [torch.from_numpy(np.asarray(one).copy()).permute(2, 0, 1) for one in cuts]
