"""A folder of captioned images -> samples, with everything wrong said at once, before anything is trained."""

import hashlib
import re
from pathlib import Path

from PIL import Image, ImageOps

from modelhub.errors import BadValue, MissingFile
from trainers.dataset.nouns import Sample
from trainers.recipe import SubsetOptions

__all__ = ["dataset_digest", "open_image", "read_dataset"]

_IMAGES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".avif", ".gif"}
_CAPTIONS = (".txt", ".caption")
_KOHYA_FOLDER = re.compile(r"(\d+)_(.+)")
_UNREADABLE = (OSError, SyntaxError, ValueError, RuntimeError, Image.DecompressionBombError)
"""What Pillow and its decoders raise for bytes that are no image."""
_SHOWN = 3


def read_dataset(folder: Path) -> list[Sample]:
    """Every image below `folder`, with its caption, in a fixed order.

    A caption stands beside its image under the same name (`.txt`, else `.caption`). In a folder named
    ``N_name`` images are repeated N times (0 leaves them out), and those without a caption file have ``name``
    for one. Raises `MissingFile` when there is nothing, and `BadValue` naming images without caption or that do
    not open.
    """
    if not folder.is_dir():
        raise MissingFile(f"{folder} is no folder of images")
    paths = sorted(path for path in folder.rglob("*") if _is_wanted(path))
    if not paths:
        raise MissingFile(f"there are no images in {folder}", mend=f"put {', '.join(sorted(_IMAGES))} files there")
    bare = [path for path in paths if _caption(path) is None]
    _refuse(bare, "without a caption", "write a .txt file of the same name beside each, or name its folder 10_NAME")
    broken: list[Path] = []
    samples = [sample for path in paths if (sample := _sample(path, broken))]
    _refuse(broken, "that cannot be opened", "remove or replace them")
    return samples


def dataset_digest(samples: list[Sample]) -> str:
    """SHA-256 over pictures, captions and repeats: what a training saw, wherever it lay."""
    lines = sorted(f"{sample.sha256}\0{sample.repeats:g}\0{sample.caption}\n" for sample in samples)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def open_image(path: Path) -> Image.Image:
    """An image upright, in RGB, with white behind what is transparent."""
    with Image.open(path) as opened:
        image = ImageOps.exif_transpose(opened)
        if image.has_transparency_data:
            image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA"))
        return image.convert("RGB")


def _is_wanted(path: Path) -> bool:
    return path.suffix.lower() in _IMAGES and _kohya(path)[0] > 0 and path.is_file()


def _sample(path: Path, broken: list[Path]) -> Sample | None:
    try:
        size = open_image(path).size
    except _UNREADABLE:
        broken.append(path)
        return None
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    subset = SubsetOptions(images=path.parent, repeats=_kohya(path)[0])
    return Sample(path, _caption(path) or "", size, digest, path.parent.name, subset)


def _caption(path: Path) -> str | None:
    """The caption of an image; None when it has none."""
    for suffix in _CAPTIONS:
        file = path.with_suffix(suffix)
        if file.is_file():
            try:
                return " ".join(file.read_text(encoding="utf-8-sig").split())
            except UnicodeDecodeError:
                raise BadValue(f"{file} is not UTF-8", mend=f"iconv -f GB18030 -t UTF-8 {file}") from None
    return _kohya(path)[1]


def _kohya(path: Path) -> tuple[int, str | None]:
    """Repeats and class of the image's ``N_name`` folder, or 1 and None."""
    match = _KOHYA_FOLDER.fullmatch(path.parent.name)
    return (int(match[1]), match[2]) if match else (1, None)


def _refuse(paths: list[Path], what: str, mend: str) -> None:
    if paths:
        more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
        names = ", ".join(str(path) for path in paths[:_SHOWN])
        raise BadValue(f"{len(paths)} images {what}: {names}{more}", mend=mend)
