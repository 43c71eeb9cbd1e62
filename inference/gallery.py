"""Pictures that lie in folders -> the catalog, where they are: what drew them, by whichever tool (no torch)."""

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from inference.images.texts import PARAMETERS, named_models, read_texts
from inference.infotext.foreign import told_by
from inference.infotext.write_back import spelled
from inference.request import GenerationRequest
from modelhub.catalog import Catalog, Found
from modelhub.errors import BrokenFile, MissingFile
from modelhub.jobs import Done, Job, Notice, Progress

__all__ = ["Indexed", "index", "inputs_of"]

_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".avif", ".gif")
_AT_ONCE = 64
"""Pictures in one transaction."""


@dataclass(slots=True)
class Indexed:
    """What came of looking through a folder."""

    added: int = 0
    moved: int = 0
    """Known by their bytes, and gone from where they were."""
    known: int = 0
    silent: int = 0
    """Of those that were added: pictures that do not tell what drew them."""
    unreadable: list[Path] = field(default_factory=list)


def index(folder: Path, catalog: Catalog) -> Job[Indexed]:
    """Write down every picture below a folder; a second time there is nothing to do.

    Raises `MissingFile` where there is no such folder. Stopped, it keeps what it has found.
    """
    if not folder.is_dir():
        raise MissingFile(f"{folder}: there is no such folder")
    result = Indexed()
    known = catalog.pictures.known_files()
    paths = [path for path in _pictures(folder) if not _is_known(path, known)]
    result.known = sum(1 for _ in _pictures(folder)) - len(paths)
    if paths:
        yield from _adopted(paths, catalog, result)
    yield Done(result)


def inputs_of(request: GenerationRequest) -> Iterator[tuple[str, str]]:
    """(role, SHA-256) of the pictures that a resolved request is drawn from."""
    if request.init:
        yield "init", request.init.image
        if request.init.mask and request.init.mask.image:
            yield "mask", request.init.mask.image
    for number, use in enumerate(request.controls, start=1):
        yield "control" if number == 1 else f"control {number}", use.image


def _adopted(paths: list[Path], catalog: Catalog, result: Indexed) -> Iterator[Progress | Notice]:
    run = catalog.begin_run("gallery", {"pictures": len(paths)})
    waiting: list[Found] = []
    state = "interrupted"
    try:
        for done, path in enumerate(paths):
            yield Progress("pictures", done, len(paths), "files")
            try:
                waiting += _found(path, catalog, result)
            except (BrokenFile, MissingFile) as error:
                result.unreadable.append(path)
                yield Notice(error.message)
            if len(waiting) >= _AT_ONCE:
                catalog.pictures.adopt(run, waiting)
                waiting = []
        yield Progress("pictures", len(paths), len(paths), "files")
        state = "done"
    finally:
        catalog.pictures.adopt(run, waiting)
        catalog.finish_run(run, state=state)


def _pictures(folder: Path) -> Iterator[Path]:
    """Below a folder, in order; hidden files and folders are passed over."""
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(one for one in folders if not one.startswith("."))
        yield from (
            Path(os.path.abspath(place)) / name
            for name in sorted(names)
            if name.lower().endswith(_SUFFIXES) and not name.startswith(".")
        )


def _is_known(path: Path, known: Mapping[str, tuple[int | None, int | None]]) -> bool:
    """What was drawn here has no size written down: our files are not changed."""
    size, mtime_ns = known.get(str(path), (-1, -1))
    if size is None or size == -1:
        return size is None
    stat = path.stat()
    return (stat.st_size, stat.st_mtime_ns) == (size, mtime_ns)


def _found(path: Path, catalog: Catalog, result: Indexed) -> list[Found]:
    """The picture, unless its bytes are known and their old place is empty."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    stat = path.stat()
    before = catalog.pictures.with_sha256(digest)
    if before and not before.path.exists():
        catalog.pictures.move(before.id, path, mtime_ns=stat.st_mtime_ns)
        result.moved += 1
        return []
    texts = read_texts(path)
    told = told_by(texts)
    with Image.open(path) as image:
        width, height = image.size
    infotext = texts.get(PARAMETERS) or (spelled(told) if told else "")
    models = tuple((one.role, one.name, one.digest) for one in named_models(texts) if one.digest)
    result.added += 1
    result.silent += not infotext
    return [Found(path, digest, width, height, infotext, models, stat.st_size, stat.st_mtime_ns)]
