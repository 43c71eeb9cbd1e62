"""A subset, walked so that nothing stops it: pictures with what stands beside them, and files that nobody takes."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from modelhub.errors import ModelHubError
from trainers.dataset.caption_files import in_lines, read_text
from trainers.dataset.folder import KOHYA_FOLDER, entry, mask_files
from trainers.dataset.imagefolder import LIST, captions_listed
from trainers.dataset.metadata_list import in_list
from trainers.dataset.nouns import Entry
from trainers.dataset.pictures import IMAGES
from trainers.doctor.nouns import Picture, Stray, Unread
from trainers.recipe import SubsetOptions

__all__ = ["Walked", "walk"]

_NOT_READ = frozenset(
    {".heic", ".heif", ".jxl", ".jp2", ".tif", ".tiff", ".psd", ".xcf", ".svg", ".ico", ".tga", ".dng", ".cr2", ".nef",
     ".jfif", ".apng", ".mp4", ".webm", ".mov", ".zip", ".rar", ".7z"}
)  # fmt: skip
_LIKE_CAPTIONS = frozenset({".txt", ".caption", ".captions", ".cap", ".tags", ".tag", ".wd14", ".text", ".prompt"})
_ABOUT = ("readme", "license", "licence", "requirements", "metadata", "default", "dataset", "notes")
_BESIDE = ("-masklabel", "-condlabel")
"""Ends of the stems of pictures that say something of others: masks and conditions."""


@dataclass(slots=True)
class Walked:
    """What lies in a subset."""

    pictures: list[Picture] = field(default_factory=list)
    """Not opened yet."""
    strays: list[Stray] = field(default_factory=list)
    folders: list[Path] = field(default_factory=list)
    faults: list[ModelHubError] = field(default_factory=list)
    """What could not be read at all."""


def walk(subset: SubsetOptions) -> Walked:
    """All of a folder, hidden files aside, or of a list."""
    found = Walked()
    masks = _masks(subset, found)
    if subset.images.is_file() and subset.images.suffix.lower() not in IMAGES:
        _read_list(subset, found)
    else:
        for folder, files in _folders(subset):
            found.folders.append(folder)
            _read_folder(folder, files, _of_folder(subset, folder), masks, found)
    taken = {picture.mask for picture in found.pictures}
    found.strays += [Stray(path, "mask") for path in masks.values() if path not in taken]
    return found


def _masks(subset: SubsetOptions, found: Walked) -> Mapping[str, Path]:
    try:
        return mask_files(subset.masks)
    except ModelHubError as error:
        found.faults.append(error)
        return {}


def _read_list(subset: SubsetOptions, found: Walked) -> None:
    try:
        found.pictures += [_picture(one, None, ()) for one in in_list(subset)]
    except ModelHubError as error:
        found.faults.append(error)


def _folders(subset: SubsetOptions) -> Iterator[tuple[Path, list[Path]]]:
    """The subset's folder and those below it, masks aside, with the files of each; in a fixed order."""
    for place, below, names in os.walk(subset.images, followlinks=True):
        folder = Path(place)
        below[:] = sorted(
            name for name in below if subset.recursive and not name.startswith(".") and folder / name != subset.masks
        )
        yield folder, [folder / name for name in sorted(names) if not name.startswith(".")]


def _of_folder(subset: SubsetOptions, folder: Path) -> SubsetOptions | None:
    """With the repeats and the class that a folder's name gives; None for no repeats."""
    match = KOHYA_FOLDER.fullmatch(folder.name) if subset.folder_names else None
    if not match:
        return subset
    times = int(match[1])
    changed = {"repeats": subset.repeats * times, "caption": subset.caption or match[2]}
    return subset.model_copy(update=changed) if times else None


def _read_folder(
    folder: Path, files: Sequence[Path], subset: SubsetOptions | None, masks: Mapping[str, Path], found: Walked
) -> None:
    if subset is None:
        return
    images = [path for path in files if path.suffix.lower() in IMAGES and not path.stem.endswith(_BESIDE)]
    listed = _listed(folder, found) if folder / LIST in files else {}
    texts = [path for path in files if path.suffix.lower() in _LIKE_CAPTIONS | set(subset.captions.extensions)]
    beside = _by_stem(images, texts if subset.captions.source == "file" else ())
    for path in images:
        file = None if listed.get(path.name) else _first(path, beside[path], subset)
        caption = _read(file, subset) if file else listed.get(path.name)
        text = None if isinstance(caption, Unread) else caption
        found.pictures.append(_picture(entry(path, text, subset, masks), file, beside[path], caption))
    taken = {text for group in beside.values() for text in group}
    found.strays += [Stray(path, "caption") for path in texts if path not in taken and not _is_about(path)]
    found.strays += [Stray(path, "picture") for path in files if path.suffix.lower() in _NOT_READ]


def _listed(folder: Path, found: Walked) -> Mapping[str, str | None]:
    try:
        return captions_listed(folder / LIST)
    except ModelHubError as error:
        found.faults.append(error)
        return {}


def _by_stem(images: Iterable[Path], texts: Iterable[Path]) -> Mapping[Path, list[Path]]:
    """The texts that stand beside each image, `a.png.txt` and `A.txt` too."""
    images = list(images)
    named: dict[str, list[Path]] = {}
    for image in images:
        for name in {image.stem.casefold(), image.name.casefold()}:
            named.setdefault(name, []).append(image)
    found: dict[Path, list[Path]] = {image: [] for image in images}
    for text in texts:
        for image in named.get(text.stem.casefold(), ()):
            found[image].append(text)
    return found


def _first(path: Path, texts: Sequence[Path], subset: SubsetOptions) -> Path | None:
    """The caption's file: the first extension that is there."""
    wanted = [path.with_suffix(extension) for extension in subset.captions.extensions]
    return next((file for file in wanted if file in texts), None)


def _read(file: Path, subset: SubsetOptions) -> str | Unread:
    try:
        return in_lines(read_text(file), subset.captions)
    except (ModelHubError, OSError) as error:
        return Unread(file, str(error), getattr(error, "mend", None))


def _picture(one: Entry, file: Path | None, texts: Sequence[Path], caption: str | Unread | None = None) -> Picture:
    undecodable = caption if isinstance(caption, Unread) else None
    return Picture(
        path=one.path,
        subset=one.subset,
        glance=Unread(one.path, "not looked at yet"),
        caption=None if undecodable else one.caption,
        caption_file=file,
        undecodable=undecodable,
        beside=tuple(text for text in texts if text != file),
        mask=one.mask,
    )


def _is_about(path: Path) -> bool:
    """Whether a file speaks of the whole set."""
    return path.stem.lower().startswith(_ABOUT)
