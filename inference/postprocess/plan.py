"""What is to be done to pictures, every model looked up (no torch)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inference.faces.plan import FacesPlan, plan_faces
from inference.request import Faces
from inference.upscalers.plan import UpscalerPlan, find_upscaler
from modelhub.catalog import Catalog
from modelhub.errors import BadValue, MissingFile

__all__ = ["PostPlan", "Size", "pictures_in", "plan_post"]

_PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")
_SCALES = (1.0, 8.0)
_MOST_SIDE = 16_384
"""Px."""


@dataclass(frozen=True, slots=True)
class Size:
    """How large: `factor` times as large, or at least `box`."""

    factor: float = 2.0
    box: tuple[int, int] | None = None
    """Width and height in px: as large as covers both."""
    crop: bool = False
    """Whether what hangs over the box is cut off."""

    def __post_init__(self) -> None:
        """Raises `BadValue` for what cannot be."""
        if self.crop and self.box is None:
            raise BadValue("--crop cuts off what hangs over a size, and there is none", mend="add --size WIDTHxHEIGHT")
        if not _SCALES[0] <= self.factor <= _SCALES[1]:
            raise BadValue(f"--scale {self.factor:g} is not between {_SCALES[0]:g} and {_SCALES[1]:g}")
        if self.box and not all(1 <= side <= _MOST_SIDE for side in self.box):
            raise BadValue(f"--size {self.box[0]}x{self.box[1]} is not between 1 and {_MOST_SIDE} px a side")

    def factor_for(self, size: tuple[int, int]) -> float:
        """By how much a picture of `size` is enlarged."""
        return max(self.box[0] / size[0], self.box[1] / size[1]) if self.box else self.factor


@dataclass(frozen=True, slots=True)
class PostPlan:
    """What will be done to each picture."""

    size: Size
    upscaler: UpscalerPlan
    second: UpscalerPlan | None = None
    second_visibility: float = 0.5
    """How much of the second one's picture covers the first one's, 0 to 1."""
    faces: FacesPlan | None = None

    @property
    def used(self) -> tuple[tuple[str, int], ...]:
        """(role, catalog ID) of every model."""
        upscalers = (one.id for one in (self.upscaler, self.second) if one)
        return (
            *(("upscaler", number) for number in upscalers if number is not None),
            *(self.faces.used if self.faces else ()),
        )

    def payload(self) -> Mapping[str, Any]:
        """As a run records it."""
        size = {"box": self.size.box, "crop": self.size.crop} if self.size.box else {"factor": self.size.factor}
        second = {"second": self.second.ref, "second_visibility": self.second_visibility} if self.second else {}
        faces = {"faces": self.faces.sha256, "faces_visibility": self.faces.visibility} if self.faces else {}
        return {**size, "upscaler": self.upscaler.ref, **second, **faces}


def plan_post(
    size: Size,
    upscaler: str,
    *,
    second: str | None = None,
    second_visibility: float = 0.5,
    faces: Faces | None = None,
    catalog: Catalog,
) -> PostPlan:
    """Look every model up; raises `UnknownRef`, `Incompatible` or `BadValue`."""
    return PostPlan(
        size=size,
        upscaler=find_upscaler(upscaler, catalog),
        second=find_upscaler(second, catalog) if second else None,
        second_visibility=second_visibility,
        faces=plan_faces(faces, catalog) if faces else None,
    )


def pictures_in(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Each picture once; a folder's by their names. Raises `MissingFile`, or `BadValue` for a folder without any."""
    return tuple(dict.fromkeys(picture for path in paths for picture in _pictures_at(path)))


def _pictures_at(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise MissingFile(f"{path}: there is no such file")
    found = sorted(one for one in path.iterdir() if one.suffix.lower() in _PICTURES and one.is_file())
    if not found:
        raise BadValue(f"{path} holds no pictures ({', '.join(_PICTURES)})")
    return found
