"""Which pictures are learned from, how they are cut, and what is said of them."""

from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from trainers.recipe.section import Section

__all__ = ["PLACES", "AugmentOptions", "CaptionOptions", "DatasetOptions", "SubsetOptions"]

PLACES = ("images", "regularisation", "masks", "root")
"""Entries of a dataset, its subsets and the pictures of the class that say where something lies."""


class CaptionOptions(Section):
    """What becomes of a caption on its way to the text encoder, in kohya's order and under its terms."""

    source: Literal["file", "name", "none"] = "file"
    """Where captions stand: in files beside the pictures, in the pictures' names, or nowhere: then all have the
    subset's `caption`."""
    extensions: tuple[str, ...] = (".txt", ".caption")
    """Of the files beside the pictures; the first that is there counts."""
    prefix: str = ""
    """Put before every caption."""
    suffix: str = ""
    """Put behind every caption."""
    separator: str = ","
    """Between tags."""
    shuffle: bool = False
    """Bring the tags into another order each time."""
    keep: int = Field(default=0, ge=0)
    """So many of the first tags stay in their places; a trigger word is always one of them."""
    keep_separator: str = ""
    """What stands before it stays, e.g. ``|||``; and what stands after a second one."""
    secondary_separator: str = ""
    """Joins what shuffling and dropping must not part, e.g. ``;;;``; it becomes `separator`."""
    dropout: float = Field(default=0.0, ge=0.0, le=1.0)
    """Share of captions that are left out, so that guidance keeps working."""
    dropout_every_epochs: int = Field(default=0, ge=0)
    """Leave all captions out in every n-th epoch; 0 for never."""
    tag_dropout: float = Field(default=0.0, ge=0.0, le=1.0)
    """Share of tags, but for those that are kept, that are left out."""
    warmup_tags: int = Field(default=0, ge=0)
    """So many tags at first, growing to all of them over `warmup_steps`; 0 takes all from the start."""
    warmup_steps: float = Field(default=0.0, ge=0.0)
    """Steps, or below 1 a share of them."""
    wildcards: bool = False
    """Choose among the lines of a file, and among ``{a|b}``, anew each time; without it all lines are one caption."""
    weights: bool = False
    """Read ``(word:1.2)`` as emphasis; without it brackets are text. One for all subsets: the dataset's own."""
    tokens: Literal[75, 150, 225] = 225
    """Longer captions are cut off, which is told. One for all subsets: the dataset's own."""

    @field_validator("extensions")
    @classmethod
    def _are_endings(cls, extensions: tuple[str, ...]) -> tuple[str, ...]:
        for one in extensions:
            if not one.startswith(".") or len(one) == 1 or "/" in one or "\\" in one:
                raise ValueError(f"{one!r} is no end of a name: write it with its dot, as .txt")
        return extensions


class AugmentOptions(Section):
    """How a picture is made to look different each time."""

    flip: bool = False
    """Mirror every other picture at random."""
    crop: Literal["center", "random"] = "center"
    """Which part of a picture its bucket shows."""
    color: bool = False
    """Turn hues by up to 8 of 180 degrees, or bend gamma by up to 5 %, as kohya does, in a third of the pictures."""
    variations: int = Field(default=4, ge=1, le=100)
    """So many differently cropped and coloured copies of a picture are kept; each step takes one of them by lot."""


class SubsetOptions(Section):
    """Pictures that are treated alike."""

    images: Path
    """A folder, or a list of pictures with their captions (.json, .jsonl)."""
    root: Path | None = None
    """Where a list's relative paths start; None takes the folder that it lies in."""
    repeats: float = Field(default=1.0, gt=0)
    """How often an epoch sees each; 1.5 is once and twice in turn."""
    weight: float = Field(default=1.0, gt=0)
    """Of their losses."""
    regularisation: bool = False
    """Pictures of the class, not of what is learned: as many as the others, weighted by the recipe's `prior.weight`."""
    caption: str = ""
    """Of pictures that have none: a class, as kohya's ``N_name`` folders name one."""
    masks: Path | None = None
    """A folder of pictures of the same stems: white is learned, black is not."""
    alpha_mask: bool = False
    """Learn what is opaque."""
    recursive: bool = True
    """Take pictures of folders within it, too."""
    folder_names: bool = True
    """Read folders named ``N_name`` as kohya does: N repeats, and `name` for a caption."""
    trigger: str = ""
    """In place of the recipe's."""
    held_out: bool = False
    """Never learned from: these judge the training, in place of a share of the others."""
    resolution: int | tuple[int, ...] | None = None
    """In place of the dataset's."""
    captions: CaptionOptions = CaptionOptions()
    augment: AugmentOptions = AugmentOptions()

    @field_validator("resolution")
    @classmethod
    def _in_latents(cls, resolution: int | tuple[int, ...] | None) -> int | tuple[int, ...] | None:
        return _whole_latents(resolution)


class DatasetOptions(Section):
    """All pictures of a training; its `captions` and `augment` hold for every subset that says nothing else."""

    images: Path | None = None
    """A folder, or another trainer's description of datasets: kohya's .toml, OneTrainer's .json, ai-toolkit's .yaml."""
    subsets: tuple[SubsetOptions, ...] = ()
    """In place of `images`, one by one."""
    regularisation: Path | None = None
    """A folder of pictures of the class."""
    masks: Path | None = None
    """A folder of pictures of the same stems: white is learned, black is not."""
    alpha_mask: bool = False
    """Learn what is opaque."""
    resolution: int | tuple[int, ...] | None = None
    """Pixels of a side, squared the area of every bucket; several: each picture is shown at each; None takes the
    base model's."""
    buckets: bool = True
    """Keep aspect ratios; without, every image is cut square."""
    bucket_step: int | None = Field(default=None, ge=8, le=256, multiple_of=8)
    """Pixels that bucket sides are multiples of; None takes an eighth of the resolution, at most 64."""
    bucket_sides: tuple[int, int] | None = None
    """Smallest and largest side of a bucket; None takes half and twice the resolution."""
    upscale: bool = True
    """Enlarge pictures that are smaller than their bucket; without, they get buckets of their own size."""
    captions: CaptionOptions = CaptionOptions()
    augment: AugmentOptions = AugmentOptions()

    @model_validator(mode="before")
    @classmethod
    def _hand_down(cls, fields: Any) -> Any:
        """A subset's own entries win over the dataset's, one by one."""
        if not isinstance(fields, dict) or not isinstance(subsets := fields.get("subsets"), list | tuple):
            return fields
        return {**fields, "subsets": tuple(_with_defaults(one, fields) for one in subsets)}

    @model_validator(mode="after")
    def _has_pictures(self) -> Self:
        if bool(self.images) == bool(self.subsets):
            raise ValueError("name a folder of images, or list subsets, but not both")
        _whole_latents(self.resolution)
        return self


def _whole_latents(resolution: int | tuple[int, ...] | None) -> int | tuple[int, ...] | None:
    sizes = resolution if isinstance(resolution, tuple) else (resolution or 64,)
    if not sizes or any(not 64 <= one <= 4096 or one % 8 for one in sizes):
        raise ValueError("a resolution is a multiple of 8 from 64 to 4096")
    return resolution


def _with_defaults(subset: Any, dataset: dict[str, Any]) -> Any:
    if not isinstance(subset, dict):
        return subset
    sections = {
        name: {**dataset[name], **subset.get(name, {})}
        for name in ("captions", "augment")
        if isinstance(dataset.get(name), dict) and isinstance(subset.get(name, {}), dict)
    }
    return {**subset, **sections}
