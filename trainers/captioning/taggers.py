"""Taggers of the WD14 kind: ONNX nets that say of each tag in a list how likely a picture shows it.

https://huggingface.co/SmilingWolf: ``model.onnx`` with ``selected_tags.csv`` beside it. Pictures go in as B, G and R
from 0 to 255, [N, side, side, 3], padded to squares with white; likelihoods come out.
"""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from modelhub.errors import BrokenFile, Incompatible, MissingFile, MissingPackage
from modelhub.headers import NET, TAGS
from modelhub.headers.onnx import read_onnx
from trainers.captioning.opening import opened
from trainers.captioning.tags import joined

__all__ = ["Tag", "TaggerOptions", "chosen", "open_tagger", "prepared", "read_tags"]

_GENERAL, _CHARACTER, _RATING = 0, 4, 9
"""Categories, as Danbooru numbers them."""
_SIDE = 448
"""Px, where a net takes any."""


@dataclass(frozen=True, slots=True)
class TaggerOptions:
    """Which tags are said."""

    general: float = 0.35
    """Tags at least so likely."""
    character: float = 0.85
    """The same for names of characters."""
    rating: bool = False
    """Say the likeliest rating too, last."""
    expand: bool = False
    """``name_(series)`` as two tags."""


@dataclass(frozen=True, slots=True)
class Tag:
    name: str
    category: int


def open_tagger(place: Path, options: TaggerOptions, *, device: str = "auto") -> "_Tagger":
    """The tagger in a folder, or of a file in it; raises what is missing, or is none, before a picture is opened.

    Raises `UnsafeFile` for a net that names other files, which onnxruntime would open. `_Tagger` is a `Say`.
    """
    net, tags = _files(place)
    listed = read_tags(tags)
    with net.open("rb") as file:
        read_onnx(net, file)
    session = _session(net, device)
    shape, count = session.get_inputs()[0].shape, session.get_outputs()[0].shape[-1]
    if len(shape) != 4 or shape[-1] != 3:
        raise Incompatible(f"{net} takes {shape}, a tagger of the WD14 kind [pictures, side, side, 3]")
    if isinstance(count, int) and count != len(listed):
        raise BrokenFile(tags, f"it lists {len(listed)} tags, but {net.name} answers for {count}")
    return _Tagger(session, listed, options)


def read_tags(file: Path) -> list[Tag]:
    """In the order of the net's answers; raises `BrokenFile` for what is no list of tags."""
    with file.open(encoding="utf-8", newline="") as lines:
        try:
            return [Tag(row["name"], int(row["category"])) for row in csv.DictReader(lines)]
        except (KeyError, TypeError, ValueError, csv.Error) as error:
            raise BrokenFile(file, "it is no list of tags with the columns name and category") from error


def chosen(likely: Sequence[float], tags: Sequence[Tag], options: TaggerOptions) -> list[str]:
    """The tags that a picture gets, in the list's order: what it shows, then who, then the rating."""
    least = {_GENERAL: options.general, _CHARACTER: options.character}
    said = [
        name
        for category in least
        for share, tag in zip(likely, tags, strict=True)
        if tag.category == category and share >= least[category]
        for name in (_expanded(tag.name) if options.expand and category == _CHARACTER else [tag.name])
    ]
    ratings = [(share, tag.name) for share, tag in zip(likely, tags, strict=True) if tag.category == _RATING]
    return [*dict.fromkeys(said), *([max(ratings)[1]] if options.rating and ratings else [])]


def prepared(image: Image.Image, side: int) -> NDArray[np.float32]:
    """A picture as the net sees it, [side, side, 3]: in the middle of a white square, blue first."""
    longest = max(image.size)
    square = Image.new("RGB", (longest, longest), "white")
    square.paste(image, ((longest - image.width) // 2, (longest - image.height) // 2))
    sized = square if longest == side else square.resize((side, side), Image.Resampling.BICUBIC)
    return np.ascontiguousarray(np.asarray(sized, dtype=np.float32)[:, :, ::-1])


@dataclass(frozen=True, slots=True)
class _Tagger:
    session: Any
    tags: Sequence[Tag]
    options: TaggerOptions

    def __call__(self, pictures: Sequence[Path]) -> list[str | None]:
        images = {path: image for path in pictures if (image := opened(path))}
        rows = zip(images, self._likely(list(images.values())), strict=True)
        said = {path: joined(chosen(row.tolist(), self.tags, self.options)) for path, row in rows}
        return [said.get(path) for path in pictures]

    def _likely(self, images: Sequence[Image.Image]) -> Iterator[NDArray[np.float32]]:
        """How likely each tag is, picture by picture; as many at once as the net takes."""
        entrance = self.session.get_inputs()[0]
        most, side = (size if isinstance(size, int) else None for size in entrance.shape[:2])
        at_once = most or len(images)
        for first in range(0, len(images), at_once or 1):
            batch = np.stack([prepared(image, side or _SIDE) for image in images[first : first + at_once]])
            yield from self.session.run(None, {entrance.name: batch})[0]


def _files(place: Path) -> tuple[Path, Path]:
    """The net and its list, found by the folder, by the net, or by what lies beside it."""
    net = place / NET if place.is_dir() else place if place.suffix == ".onnx" else place.with_name(NET)
    files = net, net.with_name(TAGS)
    for file in files:
        if not file.is_file():
            raise MissingFile(
                f"{file}: there is no such file", mend=f"put {NET} and {TAGS} of a WD14 tagger into one folder"
            )
    return files


def _session(net: Path, device: str) -> Any:
    try:
        import onnxruntime
    except ModuleNotFoundError as error:
        raise MissingPackage("onnxruntime", "caption") from error
    wanted = ["CPUExecutionProvider"] if device == "cpu" else ["CUDAExecutionProvider", "CPUExecutionProvider"]
    usable = [one for one in wanted if one in onnxruntime.get_available_providers()]
    quiet = onnxruntime.SessionOptions()
    quiet.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(str(net), quiet, providers=usable)
    except Exception as error:  # the runtime's own errors have no base of their own
        raise BrokenFile(net, f"it is no ONNX net that can be run ({error})") from error


def _expanded(tag: str) -> list[str]:
    """``name_(costume)_(series)`` as ``name_(costume)`` and ``series``; others as they are."""
    name, opening, series = tag.rpartition("_(")
    return [name, series.removesuffix(")")] if opening and name and series.endswith(")") else [tag]
