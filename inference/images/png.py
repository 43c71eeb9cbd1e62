"""Pictures on disk, with the parameters that drew them: never half written, never over another one."""

from collections.abc import Mapping
from contextlib import suppress
from itertools import count
from pathlib import Path

import numpy as np
from PIL import Image
from torch import Tensor

from inference.images.formats import PNG, Format, write
from modelhub.errors import BadValue
from modelhub.workspace import publish

__all__ = ["save", "save_new", "to_image"]

_NUMBER_DIGITS = 5
_SUFFIXES = (".png", ".jpg", ".webp", ".avif")


def to_image(pixels: Tensor) -> Image.Image:
    """[3, H, W] in -1..1 -> 8 bits a channel; truncated, not rounded, as stable-diffusion-webui does."""
    scaled = (pixels.float() / 2 + 0.5).clamp(0, 1) * 255
    return Image.fromarray(np.ascontiguousarray(scaled.byte().permute(1, 2, 0).cpu().numpy()))


def save(image: Image.Image, path: Path, texts: Mapping[str, str], *, form: Format = PNG, replace: bool = True) -> None:
    """Save with its texts; raises as `publish` does."""
    with publish(path, replace=replace) as part:
        write(image, part, texts, form)


def save_new(image: Image.Image, folder: Path, *, seed: int, texts: Mapping[str, str], form: Format = PNG) -> Path:
    """Save as ``NNNNN-SEED.png`` under the next free number of `folder`; returns where."""
    _make(folder)
    for number in count(_next_number(folder)):
        path = folder / f"{number:0{_NUMBER_DIGITS}d}-{seed}{form.suffix}"
        with suppress(FileExistsError):
            save(image, path, texts, form=form, replace=False)
            return path
    raise AssertionError("numbers do not end")


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise BadValue(f"{folder} is no folder, so no picture can lie in it") from None


def _next_number(folder: Path) -> int:
    pictures = (path for path in folder.iterdir() if path.suffix in _SUFFIXES)
    numbers = [int(name) for path in pictures if (name := path.name.split("-")[0]).isdecimal()]
    return max(numbers, default=0) + 1
