"""Captions as a training says them."""

from random import Random

from trainers.dataset.captions import said
from trainers.dataset.nouns import Sample
from trainers.doctor.nouns import Orders, Picture

__all__ = ["spoken"]

_IN_FULL = {
    "dropout": 0.0, "dropout_every_epochs": 0, "tag_dropout": 0.0, "warmup_tags": 0, "shuffle": False,
    "wildcards": False,
}  # fmt: skip
"""Caption options that leave nothing to chance."""


def spoken(picture: Picture, orders: Orders, caption: str) -> str:
    """What the text encoder reads of a picture's caption, or of one line of it, at most."""
    options = picture.subset.captions.model_copy(update=_IN_FULL)
    subset = picture.subset.model_copy(update={"captions": options})
    sample = Sample(picture.path, caption, (0, 0), "", "", subset)
    return said(sample, trigger=orders.trigger, epoch=0, step=0, steps=1, chance=Random(0))
