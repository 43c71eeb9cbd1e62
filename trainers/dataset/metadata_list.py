"""kohya's lists of pictures: .json ``{path: {caption, tags}}``, .jsonl rows of ``image_path``, ``caption``, ``tags``.

An imagefolder's rows, which have ``file_name``, are read too.
"""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PureWindowsPath
from typing import Any

from modelhub.errors import BadValue, MissingFile
from trainers.dataset.caption_files import caption_beside, in_lines, read_text
from trainers.dataset.files import is_there, parsed_json
from trainers.dataset.folder import entry, mask_files
from trainers.dataset.imagefolder import captions_listed, rows
from trainers.dataset.nouns import Entry
from trainers.dataset.pictures import IMAGES
from trainers.recipe import SubsetOptions

__all__ = ["LISTS", "in_list"]

LISTS = (".json", ".jsonl", ".csv")
"""Ends of the names of lists."""
_PATH = "image_path"
_SHOWN = 3


def in_list(subset: SubsetOptions) -> list[Entry]:
    """Every picture of a subset's list, in its order; raises `MissingFile` naming one that is not there."""
    if subset.images.suffix.lower() not in LISTS:
        raise BadValue(
            f"{subset.images} is neither a folder nor a list of pictures",
            mend="other trainers' descriptions are named by dataset.images, without subsets",
        )
    captions = _captions(subset)
    if not captions:
        raise MissingFile(
            f"{subset.images} lists no pictures",
            mend=f"name a folder: --images {shlex.quote(str(subset.images.parent))}",
        )
    masks, root = mask_files(subset.masks), subset.root or subset.images.parent
    found = {name: _picture(name, root) for name in captions}
    if missing := [name for name, path in found.items() if path is None]:
        raise MissingFile(_not_there(subset.images, missing, root), mend=f"move them to {root}, or take out their rows")
    return [_entry(path, captions[name], subset, masks) for name, path in found.items() if path]


def _entry(path: Path, caption: str | None, subset: SubsetOptions, masks: Mapping[str, Path]) -> Entry:
    if caption is None and subset.captions.source == "file":
        caption = caption_beside(path, subset.captions)
    return entry(path, caption, subset, masks)


def _not_there(file: Path, names: Sequence[str], root: Path) -> str:
    if len(names) == 1:
        return f"{file} lists {names[0]}, which is not at {root / names[0]}"
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{file} lists {len(names)} pictures that are not in {root}: {', '.join(names[:_SHOWN])}{more}"


def _captions(subset: SubsetOptions) -> Mapping[str, str | None]:
    file = subset.images
    if file.suffix.lower() == ".json":
        return {name: _caption(row, subset) for name, row in _table(file).items()}
    listed = list(rows(file))
    if any("file_name" in row for _, row in listed):
        said = captions_listed(file)
        return {name: text if text is None else in_lines(text, subset.captions) for name, text in said.items()}
    return dict(_named(row, where, subset) for where, row in listed)


def _named(row: Mapping[str, Any], where: str, subset: SubsetOptions) -> tuple[str, str | None]:
    if not isinstance(name := row.get(_PATH), str):
        raise BadValue(f"{where}: {_PATH}: a row names its picture", mend=f'write {{"{_PATH}": "a.png", ...}}')
    return name, _caption(row, subset)


def _table(file: Path) -> Mapping[str, Mapping[str, Any]]:
    table = parsed_json(read_text(file), str(file))
    if not isinstance(table, dict) or not all(isinstance(row, dict) for row in table.values()):
        raise BadValue(
            f"{file} is no list of pictures", mend='write {"a.png": {"caption": "..."}}, or name a folder of pictures'
        )
    return table


def _caption(row: Mapping[str, Any], subset: SubsetOptions) -> str | None:
    """What is said of a picture, its tags at the end of every line."""
    said, tags = row.get("caption"), row.get("tags")
    tags = ", ".join(map(str, tags)) if isinstance(tags, list) else tags
    lines = [str(line) for line in said] if isinstance(said, list) else str(said or "").splitlines()
    if tags:
        lines = [f"{line}{subset.captions.separator or ','} {tags}" for line in lines] or [str(tags)]
    return in_lines("\n".join(lines), subset.captions) if said is not None or tags is not None else None


def _picture(name: str, root: Path) -> Path | None:
    """Where a list's picture lies; kohya's may leave out the ending, and tell where it lay on another machine."""
    if not Path(name).name:
        return None
    elsewhere = PureWindowsPath(name)  # which reads both sorts of slashes
    there = [root / name, root / elsewhere.as_posix(), *([root / elsewhere.name] if elsewhere.root else [])]
    return next((place for path in there for place in _places(path) if is_there(place)), None)


def _places(path: Path) -> Iterator[Path]:
    yield path
    if path.suffix.lower() not in IMAGES:
        yield from (path.with_name(path.name + ending) for ending in sorted(IMAGES))
