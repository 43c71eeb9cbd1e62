"""What an epoch lists, and how it is shown (pure)."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, repeat

from trainers.framing.buckets import Placement

__all__ = ["Item", "View", "listed"]

_GOLDEN = 0.6180339887498949
"""Multiples of it spread evenly over a circle."""


@dataclass(frozen=True, slots=True)
class View:
    """One way in which a picture is shown: all that decides a latent but for the pixels and the VAE."""

    sample: int
    placement: Placement
    mirrored: bool = False
    variation: int = 0
    """Which of its copies, where crops or colours are drawn by lot; their dice are thrown by the picture's digest."""


@dataclass(frozen=True, slots=True)
class Item:
    """One picture at one size, as an epoch lists it."""

    sample: int
    placement: Placement
    repeats: float
    """How often an epoch has it; 1.5 is once and twice in turn."""
    weight: float = 1.0
    """Of its loss."""
    prior: bool = False
    """Whether it is a picture of the class, and not of what is learned."""


def listed(items: Sequence[Item], epoch: int) -> list[int]:
    """Places of the items of an epoch (0 for the first), before they are shuffled: each as often as it is repeated."""
    counts = (_times(index, one.repeats, epoch) for index, one in enumerate(items))
    return list(chain.from_iterable(repeat(index, count) for index, count in enumerate(counts)))


def _times(index: int, repeats: float, epoch: int) -> int:
    """How often an epoch has an item; where that is a fraction, items take turns, so that epochs are of one length."""
    turn = index * _GOLDEN % 1 if repeats % 1 else 0.0
    return int((epoch + 1) * repeats + turn) - int(epoch * repeats + turn)
