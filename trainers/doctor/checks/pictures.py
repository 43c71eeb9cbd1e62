"""Files: broken ones, ones that are not what their names say, and pictures that there is little to learn from."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from trainers.dataset.nouns import Glance, Unread
from trainers.doctor.nouns import Finding, Picture, Seen, Severity
from trainers.doctor.wording import arguments, below, count, named, quoted

__all__ = ["check"]

_FORMATS: Mapping[str, tuple[str, ...]] = {
    "PNG": (".png",), "JPEG": (".jpg", ".jpeg"), "MPO": (".jpg", ".jpeg"), "WEBP": (".webp",), "BMP": (".bmp",),
    "DIB": (".bmp",), "AVIF": (".avif",), "GIF": (".gif",),
}  # fmt: skip
"""Format -> the extensions that say so."""
_DARK, _FLAT = 16.0, 4.0
"""Levels of 255: mean brightness and contrast below which nothing can be made out."""


def check(seen: Seen) -> Iterator[Finding]:
    """What is broken first."""
    yield from _broken(seen)
    yield from _invisible(seen)
    yield from _not_read(seen)
    yield from _of_many(seen)


def _broken(seen: Seen) -> Iterator[Finding]:
    broken = [one.glance for one in seen.pictures if isinstance(one.glance, Unread)]
    if broken:
        told = named(f"{name} ({each.why})" for name, each in zip(_names(seen, broken), broken, strict=True))
        yield Finding(
            "broken-picture",
            Severity.ERROR,
            f"{count(len(broken), 'picture')} cannot be opened: {told}",
            _replacing(broken),
            tuple(one.path for one in broken),
        )


def _replacing(broken: list[Unread]) -> str:
    """Those that only need another format are not to be removed."""
    if any(":" in one.why for one in broken):
        return "convert or download each as said; remove the others"
    files = arguments([one.path for one in broken])
    return f"replace or remove: rm {files}" if len(broken) <= 3 else "replace or remove them"


def _invisible(seen: Seen) -> Iterator[Finding]:
    found = [picture.path for picture, one in seen.readable if one.is_invisible]
    if found:
        what = f"{count(len(found), 'picture')} wholly transparent, so that nothing is seen of "
        what += f"{'it' if len(found) == 1 else 'them'}: {named(below(seen.root, found))}"
        mend = f"magick mogrify -alpha off {arguments(found)} shows what lies beneath; else remove them"
        yield Finding("invisible", Severity.ERROR, what, mend, tuple(found))


def _names(seen: Seen, broken: list[Unread]) -> list[str]:
    return below(seen.root, [one.path for one in broken])


def _not_read(seen: Seen) -> Iterator[Finding]:
    by_extension: dict[str, list[Path]] = defaultdict(list)
    for stray in seen.strays:
        if stray.looks_like == "picture":
            by_extension[stray.path.suffix.lower()].append(stray.path)
    for extension, paths in sorted(by_extension.items()):
        first = quoted(paths[0])
        yield Finding(
            "unread-format",
            Severity.WARNING,
            f"{count(len(paths), f'{extension} file')} {'is' if len(paths) == 1 else 'are'} not read: "
            f"{named(below(seen.root, paths))}",
            f"convert to PNG, e.g. magick {first} {quoted(paths[0].with_suffix('.png'))}",
            tuple(paths),
        )


def _of_many(seen: Seen) -> Iterator[Finding]:
    """What is said once for all pictures that it holds for."""
    sorts: list[tuple[str, Severity, str, str, Callable[[Picture, Glance], bool]]] = [
        ("misnamed", Severity.NOTE, "of another format than the name says, which other tools may refuse",
         "name them by their content", _is_misnamed),
        ("turned", Severity.NOTE, "upright by EXIF only: learned as you see them, while some other trainers ignore it",
         "magick mogrify -auto-orient", lambda _, one: one.turned),
        ("transparent", Severity.NOTE, "with transparent parts: these are learned as white",
         "--alpha-mask leaves them out of the loss", _shows_white),
        ("animated", Severity.NOTE, "that move: the first frame is learned", "extract the frames you want",
         lambda _, one: one.frames > 1),
        ("dark", Severity.WARNING, "almost black", "remove or brighten them",
         lambda _, one: one.look.brightness < _DARK and one.contrast >= _FLAT),
        ("flat", Severity.WARNING, "of one colour, with nothing on them", "remove them",
         lambda _, one: one.contrast < _FLAT and not one.is_invisible),
    ]  # fmt: skip
    for code, severity, what, mend, holds in sorts:
        found = [picture.path for picture, one in seen.readable if holds(picture, one)]
        if found:
            told = f"{count(len(found), 'picture')} {what}: {named(below(seen.root, found))}"
            if code == "turned":
                mend = f"{mend} {arguments(found)}"
            if code == "misnamed":
                mend = f"{mend}: mv {' '.join(map(quoted, _renamed(seen, found[0])))}"
            yield Finding(code, severity, told, mend, tuple(found))


def _renamed(seen: Seen, path: Path) -> tuple[str, str]:
    """A picture's name, and the one that its content asks for."""
    kind = next(one.format for picture, one in seen.readable if picture.path == path)
    return str(path), str(path.with_suffix(_FORMATS[kind][0]))


def _is_misnamed(picture: Picture, one: Glance) -> bool:
    return picture.path.suffix.lower() not in _FORMATS.get(one.format, (picture.path.suffix.lower(),))


def _shows_white(picture: Picture, one: Glance) -> bool:
    return one.clear > 0 and not one.is_invisible and not picture.subset.alpha_mask
