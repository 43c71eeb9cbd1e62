"""How alike pictures are to a set, and how far from what the base would draw (no torch)."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

from trainers.evaluation.features import Features, Vector

__all__ = ["Set", "drift"]

_NEAREST = 3
"""Pictures of a set that one is compared with: nobody is like all of a varied set at once."""


class Set:
    """Pictures that others are compared with."""

    def __init__(self, pictures: Sequence[Image.Image], features: Features) -> None:
        self._features = features
        self._vectors = features.of(pictures)

    def likeness(self, pictures: Sequence[Image.Image]) -> list[float]:
        """Of each: mean cosine to the three of the set that are nearest to it, 1 for the same picture."""
        cosines = np.sort(self._features.of(pictures) @ self._vectors.T, axis=-1)
        return [float(one) for one in cosines[:, -_NEAREST:].mean(-1)]


def drift(drawn: Sequence[Image.Image], base: Sequence[Image.Image], other: Sequence[Image.Image]) -> float:
    """How much unrelated pictures changed, over how much another seed changes them: 0 not at all, 1 that much.

    All three are of the same prompts in the same order; `drawn` and `base` of the same seeds, `other` is the base's
    of other seeds.
    """
    return _apart(drawn, base) / max(_apart(other, base), 1e-6)


def _apart(ones: Sequence[Image.Image], others: Sequence[Image.Image]) -> float:
    """Root mean square difference of pixels."""
    squares = [np.square(_pixels(one) - _pixels(other)).mean() for one, other in zip(ones, others, strict=True)]
    return float(np.sqrt(np.mean(squares)))


def _pixels(picture: Image.Image) -> Vector:
    return np.asarray(picture.convert("RGB"), dtype=np.float32)
