"""A folder of pictures -> entries: captions beside them, kohya's ``N_name``, imagefolder's lists, masks."""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from modelhub.errors import MissingFile
from trainers.dataset.caption_files import caption_beside, in_lines
from trainers.dataset.imagefolder import LIST, captions_listed
from trainers.dataset.nouns import Entry
from trainers.dataset.pictures import IMAGES
from trainers.recipe import SubsetOptions

__all__ = ["KOHYA_FOLDER", "entry", "in_folder", "mask_files"]

KOHYA_FOLDER = re.compile(r"(\d+)_(.+)")
"""Repeats and class."""
_BESIDE = ("-masklabel", "-condlabel")
"""Ends of the stems of pictures that say something of others, as OneTrainer names them: masks and conditions."""


def in_folder(subset: SubsetOptions) -> list[Entry]:
    """Every picture of a subset's folder, in a fixed order; raises `MissingFile` when there is none.

    In a folder named ``N_name`` pictures are repeated N times (0 leaves them out), and those without a caption have
    ``name`` for one.
    """
    if not subset.images.is_dir():
        raise MissingFile(f"{subset.images} is no folder of images")
    masks = mask_files(subset.masks)
    listed: dict[Path, str | None] = {}
    found: list[Entry] = []
    for folder, files in _folders(subset):
        if LIST in files:
            listed |= {folder / name: caption for name, caption in captions_listed(folder / LIST).items()}
        found += _in_one(folder, files, _of_folder(subset, folder), masks, listed)
    if not found:
        raise MissingFile(f"there are no images in {subset.images}", mend=_where_they_are(subset))
    return sorted(found, key=lambda one: one.path)


def entry(path: Path, caption: str | None, subset: SubsetOptions, masks: Mapping[str, Path]) -> Entry:
    """A picture with what its subset says of it: the caption of those that have none, and its mask."""
    match subset.captions.source:
        case "name":
            caption = path.stem
        case "none":
            caption = subset.caption
        case "file" if caption is None:
            caption = subset.caption or None
    beside = path.with_name(f"{path.stem}{_BESIDE[0]}.png")
    mask = masks.get(path.stem.casefold()) or (beside if beside.is_file() else None)
    return Entry(path, caption, subset, mask)


def mask_files(folder: Path | None) -> Mapping[str, Path]:
    """Stem, in small letters -> mask."""
    if folder is None:
        return {}
    if not folder.is_dir():
        raise MissingFile(f"{folder} is no folder of masks")
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in IMAGES)
    return {path.stem.casefold().removesuffix(_BESIDE[0]): path for path in files}


def _folders(subset: SubsetOptions) -> Iterator[tuple[Path, list[str]]]:
    """The folder and those below it with the names in each, but for hidden ones and masks."""
    for place, below, files in os.walk(subset.images, followlinks=True):
        folder = Path(place)
        below[:] = [
            name for name in below if subset.recursive and not name.startswith(".") and folder / name != subset.masks
        ]
        yield folder, files


def _in_one(
    folder: Path, files: list[str], subset: SubsetOptions | None, masks: Mapping[str, Path],
    listed: Mapping[Path, str | None],
) -> Iterator[Entry]:  # fmt: skip
    """The pictures that lie in a folder itself; none where its subset is None."""
    for path in filter(_is_picture, map(folder.joinpath, files)):
        if subset is None:
            return
        caption = listed.get(path)
        if caption is not None:
            caption = in_lines(caption, subset.captions)
        elif subset.captions.source == "file":
            caption = caption_beside(path, subset.captions)
        yield entry(path, caption, subset, masks)


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in IMAGES and not path.stem.endswith(_BESIDE) and not path.name.startswith(".")


def _of_folder(subset: SubsetOptions, folder: Path) -> SubsetOptions | None:
    """As the name of the folder changes it; None where it says 0 repeats."""
    match = KOHYA_FOLDER.fullmatch(folder.name) if subset.folder_names else None
    if not match:
        return subset
    times = int(match[1])
    changed = {"repeats": subset.repeats * times, "caption": subset.caption or match[2]}
    return subset.model_copy(update=changed) if times else None


def _where_they_are(subset: SubsetOptions) -> str:
    if not subset.recursive and any(path.suffix.lower() in IMAGES for path in subset.images.rglob("*")):
        return "they are in folders below it: name one of these, or set recursive = true"
    return f"put {', '.join(sorted(IMAGES))} files there"
