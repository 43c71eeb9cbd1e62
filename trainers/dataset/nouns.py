"""What a dataset is made of."""

from dataclasses import dataclass
from pathlib import Path

from trainers.recipe import SubsetOptions

__all__ = ["Mask", "Sample"]


@dataclass(frozen=True, slots=True)
class Mask:
    """A picture that says where another one is learned from: white is, black is not."""

    path: Path
    sha256: str
    alpha: bool = False
    """Whether it is the alpha channel of the picture itself that says so."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One picture of a dataset."""

    path: Path
    caption: str
    """As it was written, in one line; in lines where its subset chooses among them."""
    size: tuple[int, int]
    """Width and height in pixels, upright."""
    sha256: str
    """Of the file."""
    folder: str
    """Name of the folder it lies in, as kohya's metadata tells datasets apart."""
    subset: SubsetOptions
    """How it is treated."""
    mask: Mask | None = None

    @property
    def repeats(self) -> float:
        """How often an epoch sees it."""
        return self.subset.repeats
