"""Pictures on disk: PNG with the parameters that drew them, never half written, never over another one."""

from collections.abc import Mapping
from contextlib import suppress
from itertools import count
from pathlib import Path

import numpy as np
from PIL import Image, PngImagePlugin
from torch import Tensor

from modelhub.errors import BadValue
from modelhub.workspace import publish

__all__ = ["save", "save_new", "to_image"]

_NUMBER_DIGITS = 5


def to_image(pixels: Tensor) -> Image.Image:
    """[3, H, W] in -1..1 -> 8 bits a channel; truncated, not rounded, as stable-diffusion-webui does."""
    scaled = (pixels.float() / 2 + 0.5).clamp(0, 1) * 255
    return Image.fromarray(np.ascontiguousarray(scaled.byte().permute(1, 2, 0).cpu().numpy()))


def save(image: Image.Image, path: Path, texts: Mapping[str, str], *, replace: bool = True) -> None:
    """Save with text chunks, Latin-1 ones as tEXt and all others as iTXt; raises as `publish` does."""
    info = PngImagePlugin.PngInfo()
    for key, text in texts.items():
        info.add_text(key, text)
    with publish(path, replace=replace) as part:
        image.save(part, format="PNG", pnginfo=info)


def save_new(image: Image.Image, folder: Path, *, seed: int, texts: Mapping[str, str]) -> Path:
    """Save as ``NNNNN-SEED.png`` under the next free number of `folder`; returns where."""
    _make(folder)
    for number in count(_next_number(folder)):
        path = folder / f"{number:0{_NUMBER_DIGITS}d}-{seed}.png"
        with suppress(FileExistsError):
            save(image, path, texts, replace=False)
            return path
    raise AssertionError("numbers do not end")


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise BadValue(f"{folder} is no folder, so no picture can lie in it") from None


def _next_number(folder: Path) -> int:
    numbers = [int(name) for path in folder.glob("*.png") if (name := path.name.split("-")[0]).isdecimal()]
    return max(numbers, default=0) + 1
