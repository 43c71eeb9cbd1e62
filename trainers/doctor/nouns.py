"""What the doctor sees, and what it says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from modelhub.errors import ModelHubError
from trainers.dataset.likeness import Alike
from trainers.dataset.nouns import Glance, Unread
from trainers.recipe import SubsetOptions

__all__ = [
    "NOTHING_THERE",
    "Figures",
    "Finding",
    "Orders",
    "Picture",
    "Report",
    "Seen",
    "Severity",
    "Stray",
]


class Severity(StrEnum):
    """What becomes of a training."""

    ERROR = "error"
    """It is refused."""
    WARNING = "warning"
    """It runs, and would come out better otherwise."""
    NOTE = "note"
    """It runs well; something that people want to know."""


NOTHING_THERE = ("no-folder", "not-a-folder", "no-pictures")
"""Codes of findings that say that there are no pictures."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found, with all files that it holds for."""

    code: str
    """A stable name, for programs."""
    severity: Severity
    what: str
    mend: str | None = None
    """The command to type, or the edit to make."""
    which: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture, as far as it and what stands beside it could be read."""

    path: Path
    subset: SubsetOptions
    glance: Glance | Unread
    caption: str | None = None
    """As it was written; None where there is none."""
    caption_file: Path | None = None
    """None where a folder's name or the subset gives the caption."""
    undecodable: Unread | None = None
    """Its caption, where that is not UTF-8."""
    beside: tuple[Path, ...] = ()
    """Files that look like captions of it, and are not read."""
    mask: Path | None = None
    mask_glance: Glance | Unread | None = None

    @property
    def seen(self) -> Glance | None:
        """None for one that does not open."""
        return self.glance if isinstance(self.glance, Glance) else None

    @property
    def is_learned(self) -> bool:
        """Neither a picture of the class nor one that only judges."""
        return not (self.subset.regularisation or self.subset.held_out)

    @property
    def tags(self) -> list[str]:
        """In their order, without what kohya's separators mean."""
        options = self.subset.captions
        text, separator = self.caption or "", options.separator or ","
        for mark in (options.keep_separator, options.secondary_separator, "\n"):
            text = text.replace(mark, separator) if mark else text
        return [tag for part in text.split(separator) if (tag := " ".join(part.split()))]


@dataclass(frozen=True, slots=True)
class Stray:
    """A file of the dataset that no picture takes."""

    path: Path
    looks_like: str
    """``caption``, ``mask``, ``picture`` for a format that is not read, or ``listed`` for one that is not there."""


@dataclass(frozen=True, slots=True)
class Orders:
    """What a training would ask of the pictures."""

    resolutions: tuple[int, ...] = (512,)
    trigger: str = ""
    bucket_step: int | None = None
    bucket_sides: tuple[int, int] | None = None
    buckets: bool = True
    upscale: bool = True
    prior_weight: float = 1.0
    captioned: bool = True
    """Whether captions are needed; a textual inversion may have phrases of its own."""
    class_caption: str = ""
    """Of pictures of the class that have none."""
    drawn_priors: int = 0
    """So many pictures of the class are drawn before the training, where a folder has fewer."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A whole dataset: what every check looks at."""

    root: Path
    """What was asked for: a folder, or a list of folders."""
    pictures: tuple[Picture, ...]
    orders: Orders
    strays: tuple[Stray, ...] = ()
    folders: tuple[Path, ...] = ()
    """All folders that were walked."""
    faults: tuple[ModelHubError, ...] = ()
    """What could not be read at all."""
    tokens: tuple[int, ...] = ()
    """Of each picture's caption, in full."""
    notices: tuple[str, ...] = ()
    """What another trainer's description says that has no meaning here."""
    look_alikes: tuple[tuple[int, ...], ...] = ()
    """Groups of pictures, by their places in `pictures`, that are the same to the eye."""
    turned: tuple[Alike, ...] = ()
    """Pairs, by their places too, that are the same once one is mirrored or turned; a pair for every two groups."""

    @property
    def learned(self) -> list[Picture]:
        return [one for one in self.pictures if one.is_learned]

    @property
    def readable(self) -> "list[tuple[Picture, Glance]]":
        return [(one, one.glance) for one in self.pictures if isinstance(one.glance, Glance)]


@dataclass(frozen=True, slots=True)
class Figures:
    """A dataset in numbers."""

    pictures: int
    """That are learned from."""
    class_pictures: int
    epoch: float
    """Pictures that an epoch shows, with repeats and at all resolutions."""
    captions: int
    resolutions: tuple[int, ...]
    buckets: Mapping[str, int]
    """``512x768`` -> pictures."""
    enlarged: int
    longest_caption: int
    """Tokens."""
    copies: int
    """Pictures that look like another one."""


@dataclass(frozen=True, slots=True)
class Report:
    """All that was found, the worst first, and what it was found in."""

    findings: tuple[Finding, ...]
    seen: Seen
    figures: Figures

    def of(self, severity: Severity) -> Sequence[Finding]:
        return [one for one in self.findings if one.severity is severity]

    @property
    def is_refused(self) -> bool:
        """Whether a training on this cannot work."""
        return bool(self.of(Severity.ERROR))
