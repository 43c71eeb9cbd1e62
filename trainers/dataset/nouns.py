"""What a dataset is made of."""

from dataclasses import dataclass
from pathlib import Path

from trainers.dataset.likeness import Look
from trainers.recipe import DatasetOptions, SubsetOptions

__all__ = ["Dataset", "Described", "Entry", "Glance", "Glimpse", "Mask", "Sample", "Unread"]


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
    look: Look | None = None
    """By which copies are known that were resized, saved again, or turned; None where only its header was read."""

    @property
    def repeats(self) -> float:
        """How often an epoch sees it."""
        return self.subset.repeats


@dataclass(frozen=True, slots=True)
class Entry:
    """A picture that a folder or a list holds, not yet opened."""

    path: Path
    caption: str | None
    """None when it has none, which is not the same as an empty one."""
    subset: SubsetOptions
    mask: Path | None = None


@dataclass(frozen=True, slots=True)
class Glance:
    """What the bytes of a picture tell."""

    sha256: str
    format: str
    """As its bytes say, not its name: PNG, JPEG, ..."""
    size: tuple[int, int]
    """Width and height in pixels, upright."""
    has_alpha: bool
    """Whether some of its pixels may be clear."""
    is_whole: bool
    """Whether its file seems to have an end, so that the header would have told that it can be read."""
    turned: bool
    """Whether it stands upright only because its EXIF entry is obeyed."""
    clear: float
    """Share of its pixels that are not opaque."""
    is_invisible: bool
    """Whether nothing of it is seen: all its pixels are wholly transparent."""
    frames: int
    contrast: float
    """Standard deviation, 0 to 255."""
    look: Look
    """By which copies are known."""
    thumbnail: bytes = b""
    """WebP; empty where none was asked for."""

    @property
    def glimpse(self) -> "Glimpse":
        """The least of it."""
        return Glimpse(self.sha256, self.size, self.has_alpha)


@dataclass(frozen=True, slots=True)
class Glimpse:
    """What the header of a picture tells."""

    sha256: str
    """Of the whole file."""
    size: tuple[int, int]
    """Width and height in pixels, upright."""
    has_alpha: bool
    """Whether some of its pixels may be clear."""


@dataclass(frozen=True, slots=True)
class Unread:
    """A file that is there and not read for what it is."""

    path: Path
    why: str
    mend: str | None = None


@dataclass(frozen=True, slots=True)
class Described:
    """A dataset as a recipe, or another trainer's file that it names, describes it."""

    options: DatasetOptions
    notices: tuple[str, ...] = ()
    """What the file says that has no meaning here, each with what to do instead."""
    held_out: float | None = None
    """Share of the pictures that the file wants to be judged by."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """All pictures, opened once to see that they can be."""

    samples: tuple[Sample, ...]
    described: Described
    notices: tuple[str, ...] = ()
