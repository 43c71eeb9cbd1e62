"""Pictures of a folder -> captions beside them, one whole file at a time."""

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from modelhub.errors import BadValue, ModelHubError
from modelhub.jobs import Done, Job, Notice, Progress
from modelhub.workspace import publish
from trainers.captioning.deciding import Held, decided, is_asked
from trainers.captioning.nouns import Change, Say, Writing
from trainers.captioning.rules import Rules
from trainers.dataset.caption_files import read_text
from trainers.dataset.files import is_there
from trainers.dataset.folder import in_folder
from trainers.dataset.imagefolder import FOLDER_LISTS
from trainers.recipe import CaptionOptions, SubsetOptions

__all__ = ["asks", "caption"]

T = TypeVar("T")


def caption(
    folder: Path, say: Say | None, rules: Rules, writing: Writing, *, batch: int = 1, masks: Path | None = None
) -> Job[tuple[Change, ...]]:
    """Caption the pictures of a folder and those below it, in the order of their paths, `batch` at a time.

    `say` finds the words, and rules put them right; without it rules are applied to the captions that are there.
    Each file is written whole as soon as its caption is known, so a stop loses the batch in hand at most, and the
    same again goes on there. A picture of which nothing can be said is told, and the others go on.
    Raises what reading the folder raises, before anything is written.
    """
    pictures = _pictures(folder, masks)
    held = {one: _held(one, writing.extension) for one in pictures}
    yield from _warned(pictures)
    changes = {} if say is None else _kept(held, writing)
    yield Progress("caption", len(changes), len(pictures), "pictures")
    for some in _batches([one for one in pictures if one not in changes], batch):
        made = _captioned(some, say, rules, writing)
        yield from (Notice(f"{one.picture} {one.why}") for one in made if one.why)
        changes |= {one.picture: one for one in made}
        yield Progress("caption", len(changes), len(pictures), "pictures")
    yield Done(tuple(changes[one] for one in pictures))


def asks(folder: Path, writing: Writing, *, masks: Path | None = None) -> bool:
    """Whether there is a picture that words are to be found for: without one, no model need be loaded."""
    return any(is_asked(_held(one, writing.extension)[1], writing) for one in _pictures(folder, masks))


def _pictures(folder: Path, masks: Path | None) -> list[Path]:
    """The first of those that share a caption, as ``a.png`` and ``a.jpg`` do."""
    subset = SubsetOptions(images=folder, masks=masks, folder_names=False)
    found = {one.path.with_suffix(""): one.path for one in reversed(in_folder(subset))}
    return list(reversed(found.values()))


def _held(picture: Path, extension: str) -> Held:
    """The file of a picture's caption, and what it says; None where there is none."""
    places = [picture.with_suffix(each) for each in dict.fromkeys((*CaptionOptions().extensions, extension))]
    file = next((place for place in places if is_there(place)), None)
    return (file, read_text(file).strip()) if file else (picture.with_suffix(extension), None)


def _warned(pictures: Sequence[Path]) -> Iterator[Notice]:
    folders = sorted({one.parent for one in pictures})
    for file in (folder / name for folder in folders for name in FOLDER_LISTS):
        if file.is_file():
            yield Notice(f"{file} lists captions too: for pictures that it names, it is what trainers read")


def _batches(pictures: Sequence[Path], size: int) -> Iterator[Sequence[Path]]:
    return (pictures[begin : begin + size] for begin in range(0, len(pictures), size))


def _kept(held: Mapping[Path, Held], writing: Writing) -> dict[Path, Change]:
    """Of what no model need be asked."""
    return {
        one: Change(one, file, before, before, "kept")
        for one, (file, before) in held.items()
        if not is_asked(before, writing)
    }


def _captioned(pictures: Sequence[Path], say: Say | None, rules: Rules, writing: Writing) -> list[Change]:
    """Decide, and write what is to be written.

    Captions are read after a model was asked: what a person wrote meanwhile counts as written before.
    """
    said, failures = _answers(say, pictures) if say else ({}, {})
    changes = []
    for one in pictures:
        held = _held(one, writing.extension)
        if one in failures:
            changes.append(Change(one, *held, None, "failed", f"got no caption: {failures[one]}"))
        elif say and said[one] is None:
            changes.append(Change(one, *held, None, "unreadable", "cannot be opened"))
        else:
            changes.append(_written(decided(one, held, said.get(one), rules, writing), writing))
    return changes


def _written(change: Change, writing: Writing) -> Change:
    if change.outcome == "written" and not writing.dry:
        try:
            with publish(change.file) as part:
                part.write_text(f"{change.after or ''}\n", encoding="utf-8")
        except OSError as error:
            mend = f"ls -ld {shlex.quote(str(change.file.parent))}"
            raise BadValue(f"{change.file} cannot be written: {error.strerror}", mend=mend) from None
    return change


def _answers(say: Say, pictures: Sequence[Path]) -> tuple[dict[Path, str | None], dict[Path, str]]:
    """What is said of pictures, and why nothing of others; where several are too much for a model, one by one."""
    said, failure = _asked(say, pictures)
    if not failure or len(pictures) == 1:
        return said, dict.fromkeys(pictures, failure) if failure else {}
    alone = [_answers(say, [one]) for one in pictures]
    return _joined(one for one, _ in alone), _joined(one for _, one in alone)


def _asked(say: Say, pictures: Sequence[Path]) -> tuple[dict[Path, str | None], str]:
    """What is said of pictures, or why nothing."""
    try:
        return dict(zip(pictures, say(pictures), strict=True)), ""
    except ModelHubError:
        raise
    except Exception as error:  # what models raise for a picture they cannot take has no common base
        return {}, " ".join(str(error).split()) or type(error).__name__


def _joined(parts: Iterable[Mapping[Path, T]]) -> dict[Path, T]:
    return {path: value for part in parts for path, value in part.items()}
