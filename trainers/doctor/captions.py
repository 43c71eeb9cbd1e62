"""Captions as a training says them."""

import re
from random import Random

from inference.prompt.tokenizer import tokenize
from trainers.dataset.captions import said
from trainers.dataset.nouns import Sample
from trainers.doctor.nouns import Orders, Picture, Seen

__all__ = ["sides", "spoken", "token_counts"]

_SIDE = re.compile(r"\b(left|right)(?:ward|wards|side)?\b", re.IGNORECASE)

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


def sides(caption: str) -> frozenset[str]:
    """Which of left and right a caption speaks of."""
    return frozenset(match.lower() for match in _SIDE.findall(caption))


def token_counts(seen: Seen) -> list[int]:
    """Of each picture's caption as it is said in full; of its longest line where lines are chosen among."""
    lines = [[spoken(picture, seen.orders, line) for line in _choices(picture)] for picture in seen.pictures]
    counts = iter(tokenize([line for group in lines for line in group]))
    return [max(len(next(counts)) for _ in group) for group in lines]


def _choices(picture: Picture) -> list[str]:
    text = picture.caption or ""
    return text.split("\n") if picture.subset.captions.wildcards else [text]
