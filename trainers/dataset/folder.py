"""A folder of pictures -> entries: captions beside them, kohya's ``N_name``, imagefolder's lists, masks."""

import os
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from modelhub.errors import BadValue, MissingFile
from trainers.dataset.caption_files import caption_beside, in_lines
from trainers.dataset.files import is_folder, is_there, looked_for, readable_again
from trainers.dataset.imagefolder import FOLDER_LISTS, captions_listed
from trainers.dataset.nouns import Entry
from trainers.dataset.pictures import IMAGES
from trainers.recipe import SubsetOptions

__all__ = ["KOHYA_FOLDER", "Place", "bare_name", "entry", "in_folder", "is_picture", "mask_files", "places"]

_MOST_REPEATS = 100_000
"""Of a folder's name: more is a date, or a number that somebody counts by."""
KOHYA_FOLDER = re.compile(r"(\d+)_(.+)")
"""Repeats and class."""
_BESIDE = ("-masklabel", "-condlabel")
"""Ends of the stems of pictures that say something of others, as OneTrainer names them: masks and conditions."""
_MASKS = (_BESIDE[0], "-mask", "_mask")
"""Ends of the stems of masks in a folder of their own."""
_LEFT_BEHIND = frozenset({"@eaDir", "__MACOSX", "$RECYCLE.BIN", "System Volume Information", "lost+found"})
"""Folders of thumbnails and the like, which no person makes."""


@dataclass(frozen=True, slots=True)
class Place:
    """A folder of a dataset, itself and not those below it."""

    folder: Path
    names: tuple[str, ...]
    """Of its files, hidden ones aside, in a fixed order."""
    subset: SubsetOptions | None
    """As the folder's name changes it; None where it says 0 repeats."""


def in_folder(subset: SubsetOptions) -> list[Entry]:
    """Every picture of a subset's folder, in a fixed order; raises `MissingFile` when there is none.

    In a folder named ``N_name`` pictures are repeated N times (0 leaves them out), and those without a caption have
    ``name`` for one.
    """
    if not is_folder(subset.images):
        raise MissingFile(f"{subset.images} is no folder of images", mend=looked_for(subset.images))
    masks = mask_files(subset.masks)
    listed: dict[Path, str | None] = {}
    found: list[Entry] = []
    for place in places(subset, _refuse):
        for name in (name for name in place.names if name in FOLDER_LISTS):
            list_file = place.folder / name
            listed |= {place.folder / picture: caption for picture, caption in captions_listed(list_file).items()}
        found += _in_one(place, masks, listed)
    if not found:
        raise MissingFile(f"there are no images in {subset.images}", mend=_where_they_are(subset))
    return sorted(found, key=lambda one: one.path)


def places(subset: SubsetOptions, unreadable: Callable[[OSError], None]) -> Iterator[Place]:
    """A subset's folder and those below it, but for hidden ones, masks, what other programs leave, and links in a loop.

    What cannot be read is told.
    """
    for name, below, files in os.walk(subset.images, followlinks=True, onerror=unreadable):
        folder = Path(name)
        below[:] = sorted(one for one in below if subset.recursive and _is_walked(folder / one, subset))
        names = tuple(sorted(name for name in files if not name.startswith(".")))
        yield Place(folder, names, _of_folder(subset, folder))


def is_picture(path: Path) -> bool:
    """Whether a file is learned, by its name."""
    return path.suffix.lower() in IMAGES and not path.stem.endswith(_BESIDE)


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
    mask = masks.get(path.stem.casefold()) or (beside if is_there(beside) else None)
    return Entry(path, caption, subset, mask)


def mask_files(folder: Path | None) -> Mapping[str, Path]:
    """Stem, in small letters -> mask."""
    if folder is None:
        return {}
    if not is_folder(folder):
        raise MissingFile(f"{folder} is no folder of masks", mend=looked_for(folder))
    files = sorted(path for path in folder.rglob("[!.]*") if path.suffix.lower() in IMAGES and is_there(path))
    return {bare_name(path).casefold(): path for path in files}


def bare_name(mask: Path) -> str:
    """The stem of the picture that a mask belongs to."""
    return next((mask.stem.removesuffix(end) for end in _MASKS if mask.stem.endswith(end)), mask.stem)


def _is_walked(folder: Path, subset: SubsetOptions) -> bool:
    if folder.name.startswith(".") or folder.name in _LEFT_BEHIND or folder == subset.masks:
        return False
    return not folder.is_symlink() or not _leads_back(folder, subset.images)


def _leads_back(link: Path, root: Path) -> bool:
    """Whether a link leads to a folder that was walked through on the way to it, itself by a link or not."""
    there = link.resolve()
    way = [one for one in link.parents if one == root or root in one.parents]
    above = link.parent.resolve()
    return there in (above, *above.parents) or any(one.resolve() == there for one in way)


def _refuse(error: OSError) -> None:
    raise BadValue(f"{error.filename} cannot be read: {error.strerror}", mend=readable_again(Path(error.filename)))


def _in_one(place: Place, masks: Mapping[str, Path], listed: Mapping[Path, str | None]) -> Iterator[Entry]:
    """The pictures that lie in a folder itself; none where it says 0 repeats."""
    if place.subset is None:
        return
    for path in filter(is_picture, map(place.folder.joinpath, place.names)):
        caption = listed.get(path)
        if caption is not None:
            caption = in_lines(caption, place.subset.captions)
        elif place.subset.captions.source == "file":
            caption = caption_beside(path, place.subset.captions)
        yield entry(path, caption, place.subset, masks)


def _of_folder(subset: SubsetOptions, folder: Path) -> SubsetOptions | None:
    """As the name of the folder changes it; None where it says 0 repeats."""
    match = KOHYA_FOLDER.fullmatch(folder.name) if subset.folder_names else None
    if not match:
        return subset
    times = int(match[1]) if len(match[1]) < 10 else _MOST_REPEATS + 1
    if times > _MOST_REPEATS:
        raise BadValue(
            f"the name of {folder} says {match[1]} repeats of each picture",
            mend=f"mv {shlex.quote(str(folder))} {shlex.quote(str(folder.with_name(f'10_{match[2]}')))}",
        )
    changed = {"repeats": subset.repeats * times, "caption": subset.caption or match[2]}
    return subset.model_copy(update=changed) if times else None


def _where_they_are(subset: SubsetOptions) -> str:
    if not subset.recursive and any(path.suffix.lower() in IMAGES for path in subset.images.rglob("*")):
        return "they are in folders below it: name one of these, or set recursive = true"
    return f"put {', '.join(sorted(IMAGES))} files there"
