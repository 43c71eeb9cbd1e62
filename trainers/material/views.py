"""What an epoch lists, and how it is shown (pure)."""

from dataclasses import dataclass

from trainers.material.buckets import Placement

__all__ = ["Item", "View"]


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
