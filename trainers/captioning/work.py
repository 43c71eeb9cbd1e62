"""Pictures of a folder -> captions beside them, one whole file at a time."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

from modelhub.jobs import Done, Job, Notice, Progress
from modelhub.workspace import publish
from trainers.captioning.deciding import Held, decided, is_asked
from trainers.captioning.nouns import Change, Say, Writing
from trainers.captioning.rules import Rules
from trainers.dataset.caption_files import read_text
from trainers.dataset.folder import in_folder
from trainers.dataset.imagefolder import FOLDER_LISTS
from trainers.recipe import CaptionOptions, SubsetOptions

__all__ = ["caption"]


def caption(
    folder: Path, say: Say | None, rules: Rules, writing: Writing, *, batch: int = 1, masks: Path | None = None
) -> Job[tuple[Change, ...]]:
    """Caption the pictures of a folder and those below it, in the order of their paths, `batch` at a time.

    `say` finds the words, and rules put them right; without it rules are applied to the captions that are there.
    Each file is written whole as soon as its caption is known, so a stop loses the batch in hand at most.
    Raises what reading the folder raises, before anything is written.
    """
    pictures = _pictures(folder, masks)
    held = {one: _held(one, writing.extension) for one in pictures}
    yield from _warned(pictures)
    changes: list[Change] = []
    yield Progress("caption", 0, len(pictures), "pictures")
    for some in _batches(pictures, batch):
        changes += _captioned(some, held, say, rules, writing)
        yield Progress("caption", len(changes), len(pictures), "pictures")
    yield from (Notice(f"{one.picture} cannot be opened") for one in changes if one.outcome == "unreadable")
    yield Done(tuple(changes))


def _pictures(folder: Path, masks: Path | None) -> list[Path]:
    """The first of those that share a caption, as ``a.png`` and ``a.jpg`` do."""
    subset = SubsetOptions(images=folder, masks=masks, folder_names=False)
    found = {one.path.with_suffix(""): one.path for one in reversed(in_folder(subset))}
    return list(reversed(found.values()))


def _held(picture: Path, extension: str) -> Held:
    """The file of a picture's caption, and what it says; None where there is none."""
    places = [picture.with_suffix(each) for each in dict.fromkeys((*CaptionOptions().extensions, extension))]
    file = next((place for place in places if place.is_file()), None)
    return (file, read_text(file).strip()) if file else (picture.with_suffix(extension), None)


def _warned(pictures: Sequence[Path]) -> Iterator[Notice]:
    folders = sorted({one.parent for one in pictures})
    for file in (folder / name for folder in folders for name in FOLDER_LISTS):
        if file.is_file():
            yield Notice(f"{file} lists captions too: for pictures that it names, it is what trainers read")


def _batches(pictures: Sequence[Path], size: int) -> Iterator[list[Path]]:
    left = iter(pictures)
    while some := list(islice(left, size)):
        yield some


def _captioned(
    pictures: Sequence[Path], held: Mapping[Path, Held], say: Say | None, rules: Rules, writing: Writing
) -> list[Change]:
    """Decide, and write what is to be written; a model is asked of those pictures alone that may get its words."""
    asked = [one for one in pictures if say and is_asked(held[one][1], writing)]
    said = dict(zip(asked, say(asked), strict=True)) if say and asked else {}
    changes = [_change(one, held[one], said, say is None, rules, writing) for one in pictures]
    for change in changes:
        if change.outcome == "written" and not writing.dry:
            with publish(change.file) as part:
                part.write_text(f"{change.after or ''}\n", encoding="utf-8")
    return changes


def _change(
    picture: Path, held: Held, said: Mapping[Path, str | None], by_rules: bool, rules: Rules, writing: Writing
) -> Change:
    if not by_rules and picture not in said:
        return Change(picture, *held, held[1], "kept")
    if not by_rules and said[picture] is None:
        return Change(picture, *held, None, "unreadable")
    return decided(picture, held, said.get(picture), rules, writing)
