"""Pictures that others are drawn from, kept by their digests, so that each can be drawn again (no torch)."""

import hashlib
import io
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from modelhub.errors import BrokenFile, MissingFile
from modelhub.workspace import publish

__all__ = ["Inputs"]

_DIGEST_LENGTH = 64


@dataclass(frozen=True, slots=True)
class Inputs:
    """The pictures below one folder, and some that are in memory alone."""

    root: Path
    _held: dict[str, Image.Image] = field(default_factory=dict)

    def keep(self, said: str) -> str:
        """Keep the picture that a request names, by its path or its digest; returns its SHA-256.

        Raises `MissingFile`, naming it, where there is none, and `BrokenFile` for what is no picture.
        """
        if said in self._held or (_is_digest(said) and self._place(said)):
            return said
        path = Path(said)
        if not path.is_file():
            raise _missing(said)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        _opened(path)
        if not self._place(digest):
            with publish(self._target(digest, path.suffix.lower())) as part:
                shutil.copyfile(path, part)
        return digest

    def hold(self, image: Image.Image) -> str:
        """Keep a picture in memory for this process; returns the name to ask for it by."""
        written = io.BytesIO()
        image.save(written, "PNG", compress_level=0)
        digest = hashlib.sha256(written.getvalue()).hexdigest()
        self._held[digest] = image
        return digest

    def write(self, image: Image.Image) -> str:
        """Keep a picture for good; returns its SHA-256, that of its PNG."""
        written = io.BytesIO()
        image.save(written, "PNG")
        digest = hashlib.sha256(written.getvalue()).hexdigest()
        if not self._place(digest):
            with publish(self._target(digest, ".png")) as part:
                part.write_bytes(written.getvalue())
        return digest

    def open(self, digest: str) -> Image.Image:
        """The picture, as its file has it; raises `MissingFile` where it is gone."""
        if digest in self._held:
            return self._held[digest]
        if place := self._place(digest):
            return _opened(place)
        raise _missing(digest)

    def path(self, digest: str) -> Path | None:
        """Where it lies; None for what is in memory alone, or gone."""
        return self._place(digest)

    def _target(self, digest: str, suffix: str) -> Path:
        target = self.root / digest[:2] / f"{digest}{suffix}"
        target.parent.mkdir(parents=True, exist_ok=True)
        return target

    def _place(self, digest: str) -> Path | None:
        return next(self._places(digest), None)

    def _places(self, digest: str) -> Iterator[Path]:
        return (place for place in (self.root / digest[:2]).glob(f"{digest}*") if place.is_file())


def _is_digest(said: str) -> bool:
    return len(said) == _DIGEST_LENGTH and all(one in "0123456789abcdef" for one in said)


def _opened(path: Path) -> Image.Image:
    try:
        with Image.open(path) as image:
            image.load()
            return image
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError, SyntaxError) as error:
        raise BrokenFile(path, f"it cannot be read as a picture ({error})") from error


def _missing(said: str) -> MissingFile:
    if _is_digest(said):
        return MissingFile(
            f"the picture {said[:12]} that this was drawn from is not in the workspace",
            mend="give it again: modelhub generate ... --init FILE",
        )
    return MissingFile(f"{said}: there is no such file")
