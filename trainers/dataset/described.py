"""What `dataset.images` of a recipe names -> subsets: a folder, a list, or another trainer's description."""

import tomllib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from modelhub.errors import BadValue, MissingFile
from trainers.dataset import ai_toolkit, kohya, onetrainer
from trainers.dataset.caption_files import read_text
from trainers.dataset.files import is_folder, is_there, looked_for, parsed_json
from trainers.dataset.folder import KOHYA_FOLDER
from trainers.dataset.metadata_list import LISTS
from trainers.dataset.nouns import Described
from trainers.dataset.translation import SLASHES
from trainers.recipe import PLACES, DatasetOptions, SubsetOptions

__all__ = ["described", "subsets_of"]

_READERS: tuple[tuple[Callable[[Any], bool], Callable[[Path, Any, DatasetOptions], Described]], ...] = (
    (kohya.describes, kohya.read_kohya),
    (ai_toolkit.describes, ai_toolkit.read_ai_toolkit),
    (onetrainer.describes, onetrainer.read_onetrainer),
)
_DESCRIPTIONS = (".toml", ".json", ".yaml", ".yml")
_TRAINED, _CLASS = ("img", "image", "images"), ("reg", "regularization", "regularisation")
"""Folders that kohya's interfaces make in one project, beside `log` and `model`."""


def described(options: DatasetOptions) -> Described:
    """A recipe's dataset as subsets, each a folder or a list; paths become absolute."""
    images = options.images
    if images is None or is_folder(images):
        return _absolute(_project(options))
    if not is_there(images):
        raise MissingFile(f"{images} is no folder of images", mend=looked_for(images))
    fields = _fields(images) if images.suffix.lower() in _DESCRIPTIONS else None
    for describes, read in _READERS:
        if describes(fields):
            return _absolute(_told_of_resolution(read(images, fields, options), options))
    if images.suffix.lower() not in LISTS:
        raise BadValue(
            f"{images} describes no dataset", mend="name a folder of images, kohya's .toml or .json, OneTrainer's "
            ".json, ai-toolkit's .yaml, or a list of pictures, .json or .jsonl"
        )  # fmt: skip
    return _absolute(Described(options))


def subsets_of(options: DatasetOptions, class_caption: str = "") -> list[SubsetOptions]:
    """All subsets, those of the class last; `class_caption` is that of class pictures that have none."""
    shared = {"captions": options.captions, "augment": options.augment}
    masks = {"masks": options.masks, "alpha_mask": options.alpha_mask}
    found = [_with_masks(one, options) for one in options.subsets]
    if options.images:
        found = [SubsetOptions(images=options.images, **masks, **shared)]
    if options.regularisation:
        found.append(SubsetOptions(images=options.regularisation, regularisation=True, **shared))
    return [_named(one, class_caption) if one.regularisation else one for one in found]


def _with_masks(subset: SubsetOptions, options: DatasetOptions) -> SubsetOptions:
    changed = {"masks": subset.masks or options.masks, "alpha_mask": subset.alpha_mask or options.alpha_mask}
    return subset if subset.regularisation else subset.model_copy(update=changed)


def _named(subset: SubsetOptions, caption: str) -> SubsetOptions:
    return subset.model_copy(update={"caption": caption}) if caption and not subset.caption else subset


def _project(options: DatasetOptions) -> Described:
    """A folder of one level too high: pictures lie in its `img`, those of the class in its `reg`."""
    if options.images is None or not (images := _below(options.images, _TRAINED)):
        return Described(options)
    classes = options.regularisation or _below(options.images, _CLASS)
    told = f"{options.images} is a project: its pictures are those in {images.name}"
    told += f", and those of the class in {classes.name}" if classes else ""
    return Described(options.model_copy(update={"images": images, "regularisation": classes}), (told,))


def _below(folder: Path, names: tuple[str, ...]) -> Path | None:
    """The first folder of these names that holds folders as kohya names them."""
    for below in (folder / name for name in names):
        with suppress(PermissionError):
            if below.is_dir() and any(one.is_dir() and KOHYA_FOLDER.fullmatch(one.name) for one in below.iterdir()):
                return below
    return None


def _told_of_resolution(found: Described, options: DatasetOptions) -> Described:
    """The file's resolution is nearer to its pictures than the recipe's."""
    wanted = [one.resolution for one in found.options.subsets if one.resolution]
    if options.resolution is None or all(one == options.resolution for one in wanted):
        return found
    told = f"{options.images}: its resolution is taken, {wanted[0]}, and not the recipe's, {options.resolution}"
    return Described(found.options, (*found.notices, told), found.held_out)


def _absolute(found: Described) -> Described:
    def moved(one: Any) -> Any:
        named = {name: getattr(one, name, None) for name in PLACES}
        return one.model_copy(update={name: path.absolute() for name, path in named.items() if isinstance(path, Path)})

    options: DatasetOptions = moved(found.options)
    options = options.model_copy(update={"subsets": tuple(map(moved, options.subsets))})
    return Described(options, found.notices, found.held_out)


def _fields(file: Path) -> Any:
    """The content of a TOML, JSON or YAML file; raises `BadValue` naming the line that is wrong."""
    text = read_text(file)
    try:
        match file.suffix.lower():
            case ".toml":
                return tomllib.loads(text)
            case ".json":
                return parsed_json(text, str(file))
            case _:
                return _yaml(text)
    except ValueError as error:
        mend = SLASHES if "\\" in text else f"write it as {file.suffix[1:].upper()} there"
        raise BadValue(f"{file}: {error}", mend=mend) from None
    except RecursionError:
        raise BadValue(f"{file}: its brackets are nested too deeply", mend="write it anew") from None


def _yaml(text: str) -> Any:
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from None
