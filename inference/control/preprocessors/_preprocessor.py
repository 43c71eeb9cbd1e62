"""What a preprocessor is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Number", "Picture", "Preprocessor"]

Picture: TypeAlias = "NDArray[np.uint8]"
"""RGB, [H, W, 3]."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number that a preprocessor takes."""

    name: str
    default: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Preprocessor:
    """One member of the registry."""

    name: str
    numbers: tuple[Number, ...]
    make: Callable[..., Picture]
    """(picture, *numbers) -> hint of the same size."""
