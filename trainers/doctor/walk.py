"""A subset, walked so that nothing stops it: pictures with what stands beside them, and files that nobody takes."""

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from modelhub.errors import BadValue, MissingFile, ModelHubError
from trainers.dataset.caption_files import in_lines, read_text
from trainers.dataset.files import is_there, readable_again
from trainers.dataset.folder import Place, entry, is_picture, mask_files, places
from trainers.dataset.imagefolder import FOLDER_LISTS, captions_listed
from trainers.dataset.metadata_list import in_list
from trainers.dataset.nouns import Entry, Unread
from trainers.dataset.pictures import IMAGES
from trainers.doctor.nouns import Picture, Stray
from trainers.recipe import SubsetOptions

__all__ = ["Walked", "walk"]

_NOT_READ = frozenset(
    {".heic", ".heif", ".jxl", ".jp2", ".tif", ".tiff", ".psd", ".xcf", ".svg", ".ico", ".tga", ".dng", ".cr2", ".nef",
     ".jfif", ".apng", ".mp4", ".webm", ".mov", ".zip", ".rar", ".7z"}
)  # fmt: skip
_LIKE_CAPTIONS = frozenset({".txt", ".caption", ".captions", ".cap", ".tags", ".tag", ".wd14", ".text", ".prompt"})
_ABOUT = (
    "readme", "license", "licence", "requirements", "metadata", "default", "dataset", "notes", "sample_prompts",
    "prompts", "concept", "trigger", "tags", "classes",
)  # fmt: skip


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
    if is_there(subset.images) and subset.images.suffix.lower() not in IMAGES:
        _read_list(subset, found)
    else:
        _read_all_folders(subset, masks, found)
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


def _read_all_folders(subset: SubsetOptions, masks: Mapping[str, Path], found: Walked) -> None:
    """Up to one whose name cannot be meant."""
    try:
        _read_folders(subset, masks, found)
    except ModelHubError as error:
        found.faults.append(error)


def _read_folders(subset: SubsetOptions, masks: Mapping[str, Path], found: Walked) -> None:
    """The subset's folder and those below it; pictures that a list names and that are not there are told."""
    listed: dict[Path, str | None] = {}
    for place in places(subset, lambda error: found.faults.append(_unreadable(error))):
        found.folders.append(place.folder)
        for name in (name for name in place.names if name in FOLDER_LISTS):
            listed |= _listed(place.folder / name, found)
        if place.subset:
            _read_folder(place, place.subset, masks, listed, found)
    found.strays += [Stray(path, "listed") for path in listed if not is_there(path)]


def _unreadable(error: OSError) -> ModelHubError:
    folder = Path(error.filename)
    if isinstance(error, FileNotFoundError):
        return MissingFile(f"{folder} is no folder of images", mend=f"ls {shlex.quote(str(folder.parent))}")
    return BadValue(f"{folder} cannot be read: {error.strerror}", mend=readable_again(folder))


def _read_folder(
    place: Place, subset: SubsetOptions, masks: Mapping[str, Path], listed: Mapping[Path, str | None], found: Walked
) -> None:
    files = [place.folder / name for name in place.names]
    images = list(filter(is_picture, files))
    texts = [path for path in files if path.suffix.lower() in _LIKE_CAPTIONS | set(subset.captions.extensions)]
    beside = _by_stem(images, texts if subset.captions.source == "file" else ())
    for path in images:
        said = listed.get(path)
        file = None if said is not None else _first(path, beside[path], subset)
        caption = _read(file, subset) if file else said if said is None else in_lines(said, subset.captions)
        text = None if isinstance(caption, Unread) else caption
        found.pictures.append(_picture(entry(path, text, subset, masks), file, beside[path], caption))
    taken = {text for group in beside.values() for text in group}
    found.strays += [Stray(path, "caption") for path in texts if path not in taken and not _is_about(path)]
    found.strays += [Stray(path, "picture") for path in files if path.suffix.lower() in _NOT_READ]


def _listed(file: Path, found: Walked) -> Mapping[Path, str | None]:
    try:
        return {file.parent / name: caption for name, caption in captions_listed(file).items()}
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
