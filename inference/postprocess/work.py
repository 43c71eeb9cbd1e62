"""Carries it out, picture by picture; the text of what was done is stable-diffusion-webui's."""

import hashlib
import json
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from PIL import Image, ImageOps

from inference.faces.restore import restoring
from inference.images.png import save
from inference.images.texts import read_texts
from inference.postprocess.plan import PostPlan, Size
from inference.upscalers.enlarge import HasNets, scaling
from inference.upscalers.plan import UpscalerPlan
from modelhub.catalog import Catalog
from modelhub.errors import BrokenFile
from modelhub.jobs import Done, Job, Notice, Progress

__all__ = ["Processed", "postprocess", "processed"]

_KEPT_TEXTS = ("parameters", "modelhub")
"""What a picture says of how it was drawn."""
_WORK = "postprocessing"
"""The text chunk that says what was done since."""


@dataclass(frozen=True, slots=True)
class Processed:
    """One picture that was made of another."""

    source: Path
    path: Path
    width: int
    height: int
    postprocessing: str
    """What was done."""


def postprocess(
    pictures: Sequence[Path], plan: PostPlan, *, catalog: Catalog, engine: HasNets, out: Path
) -> Job[tuple[Processed, ...]]:
    """Save each picture's successor in `out` under its own name, as PNG; nothing is overwritten.

    What cannot be read is told and left out, unless it is all that was asked for. The run and its pictures are
    recorded; what is interrupted keeps those that were finished.
    """
    restore = restoring(plan.faces, engine)
    run = catalog.begin_run("upscale", {**plan.payload(), "pictures": [str(one) for one in pictures]}, plan.used)
    done: list[Processed] = []
    state, wrong = "interrupted", None
    try:
        for source in pictures:
            try:
                image, texts = _read(source)
            except BrokenFile as error:
                if len(pictures) == 1:
                    raise
                yield Notice(f"left out: {error.message}")
                continue
            made, told = yield from processed(image, plan, engine, restore, task=source.name)
            done.append(_save(source, made, told, texts, out))
            _record(done[-1], texts, catalog, run)
        state = "done"
    except Exception as error:
        state, wrong = "failed", str(error)
        raise
    finally:
        catalog.finish_run(run, state=state, error=wrong)
    yield Done(tuple(done))


def processed(
    image: Image.Image,
    plan: PostPlan,
    engine: HasNets,
    restore: Callable[[Image.Image], Image.Image],
    *,
    task: str,
) -> Generator[Progress, None, tuple[Image.Image, str]]:
    """The picture larger and with its faces drawn again, and what to say of it."""
    notes: dict[str, str] = {}
    if plan.upscaler.name != "None":
        image = yield from _larger(image, plan, engine, task)
        notes |= _size_notes(plan.size, image.size) | {"Postprocess upscaler": plan.upscaler.name}
        if plan.second and plan.second_visibility:
            notes["Postprocess upscaler 2"] = plan.second.name
    if plan.faces:
        image = restore(image)
        notes[f"{plan.faces.title} visibility"] = f"{plan.faces.visibility:g}"
    return image, ", ".join(f"{key}: {_quoted(value)}" for key, value in notes.items())


def _larger(image: Image.Image, plan: PostPlan, engine: HasNets, task: str) -> Generator[Progress, None, Image.Image]:
    first = yield from _sized(image, plan.size, plan.upscaler, engine, task)
    if not (plan.second and plan.second_visibility):
        return first
    second = yield from _sized(image, plan.size, plan.second, engine, f"{task}, {plan.second.name}")
    return Image.blend(first, second, plan.second_visibility)


def _sized(
    image: Image.Image, size: Size, upscaler: UpscalerPlan, engine: HasNets, task: str
) -> Generator[Progress, None, Image.Image]:
    larger = yield from scaling(image, size.factor_for(image.size), upscaler, engine, task=task)
    if not (size.crop and size.box):
        return larger
    cropped = Image.new(larger.mode, size.box)
    cropped.paste(larger, (size.box[0] // 2 - larger.width // 2, size.box[1] // 2 - larger.height // 2))
    return cropped


def _size_notes(size: Size, made: tuple[int, int]) -> dict[str, str]:
    if size.box is None:
        return {"Postprocess upscale by": f"{size.factor:g}"}
    to = {"Postprocess upscale to": f"{size.box[0]}x{size.box[1]}"}
    return to | ({"Postprocess crop to": f"{made[0]}x{made[1]}"} if size.crop else {})


def _quoted(value: str) -> str:
    return json.dumps(value, ensure_ascii=False) if any(mark in value for mark in ",:\n") else value


def _read(path: Path) -> tuple[Image.Image, Mapping[str, str]]:
    """Upright, as its camera held it; raises `BrokenFile`."""
    texts = read_texts(path)
    with Image.open(path) as image:
        return ImageOps.exif_transpose(image), texts


def _save(source: Path, image: Image.Image, told: str, texts: Mapping[str, str], out: Path) -> Processed:
    kept = {key: texts[key] for key in _KEPT_TEXTS if key in texts}
    for path in _names(out, source.stem):
        with suppress(FileExistsError):
            save(image, path, {**kept, _WORK: told}, replace=False)
            return Processed(source, path, image.width, image.height, told)
    raise AssertionError("numbers do not end")


def _names(out: Path, stem: str) -> Iterator[Path]:
    """The picture's own name first."""
    yield out / f"{stem}.png"
    yield from (out / f"{stem}-{number}.png" for number in count(2))


def _record(made: Processed, texts: Mapping[str, str], catalog: Catalog, run: int) -> None:
    catalog.pictures.record(
        run,
        path=made.path,
        sha256=hashlib.sha256(made.path.read_bytes()).hexdigest(),
        width=made.width,
        height=made.height,
        infotext="\n".join(filter(None, (texts.get("parameters"), made.postprocessing))),
    )
