"""The whole story on the starter: catalogue it, draw, train a LoRA on a character, use it by its catalog ID."""

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import TypeVar

from PIL import Image

from inference.engine import Engine
from inference.generate import generate, output_folder
from inference.images.compare import distance, thumbnail
from inference.images.png import save
from inference.images.sheet import contact_sheet
from inference.request import GenerationRequest, LoraUse
from modelhub import starter
from modelhub.catalog import Catalog
from modelhub.jobs import Done, Job, Notice, Preview, Progress, Step
from modelhub.kinds import Artifact
from trainers.dataset import open_image, read_dataset
from trainers.recipe import read_recipe
from trainers.running.results import renamed
from trainers.train import train

__all__ = ["Story", "demo"]

_STRENGTHS = (0.0, 0.5, 1.0)
_CFG = 4.0
_STEPS = 20
_SEED = 7
_COLUMNS = 8

T = TypeVar("T")
_Event = Progress | Notice | Step | Preview


@dataclass(frozen=True, slots=True)
class Story:
    """What the demo made."""

    sheet: Path
    """Training pictures, the base, and the LoRA at several strengths, on one PNG."""
    base: Artifact
    lora: Artifact
    distances: Mapping[str, float]
    """Row of the sheet -> mean distance of its pictures from the held-out poses, in levels of 255."""


def demo(*, catalog: Catalog, device: str = "auto") -> Job[Story]:
    """Tell it once; run again, it trains another LoRA beside the first."""
    base = catalog.add(starter.CHECKPOINT, name="starter")
    yield Notice(f"catalogued {base.id} {base.name}: a {base.facts.family} {base.facts.kind}")
    engine = Engine(device)
    known = yield from _draw(catalog, engine, base, starter.PROMPTS, copies=1)
    poses = read_dataset(starter.HELD_OUT)
    captions = [pose.caption for pose in poses]
    copies = _COLUMNS // len(poses)
    without = yield from _draw(catalog, engine, base, captions, copies=copies)

    recipe = renamed(read_recipe(starter.RECIPE), catalog)
    lora = yield from _result_of(train(recipe, catalog=catalog, device=device))
    yield Notice(f"trained and catalogued {lora.id} {lora.name}: a {lora.facts.family} {lora.facts.kind}")

    asked = {"without the LoRA": without}
    for strength in _STRENGTHS:
        use = LoraUse(ref=str(lora.id), unet=strength, text_encoder=strength)
        asked[f"LoRA at {strength:g}"] = yield from _draw(catalog, engine, base, captions, copies=copies, lora=use)

    assert recipe.dataset.images is not None
    training = [open_image(sample.path) for sample in read_dataset(recipe.dataset.images)]
    held_out = [open_image(pose.path) for pose in poses for _ in range(copies)]
    sheet = output_folder(catalog.workspace) / f"demo-{lora.name}.png"
    save(contact_sheet(list(_rows(known, training, asked, held_out))), sheet, {})
    distances = {label: _mean_distance(pictures, held_out) for label, pictures in asked.items()}
    yield Done(Story(sheet, base, lora, distances))


def _draw(
    catalog: Catalog,
    engine: Engine,
    base: Artifact,
    prompts: Sequence[str],
    *,
    copies: int,
    lora: LoraUse | None = None,
) -> Generator[_Event, None, list[Image.Image]]:
    """`copies` pictures of each prompt, with the same seeds whatever the LoRA."""
    drawn: list[Image.Image] = []
    for prompt in prompts:
        request = GenerationRequest(
            prompt=prompt,
            model=str(base.id),
            loras=(lora,) if lora else (),
            sampler="DPM++ 2M",
            steps=_STEPS,
            cfg=_CFG,
            seed=_SEED,
            batch=copies,
        )
        job = generate(request, catalog=catalog, engine=engine, out=output_folder(catalog.workspace))
        pictures = yield from _result_of(job)
        drawn += [picture.image for picture in pictures]
    return drawn


def _result_of(job: Job[T]) -> Generator[_Event, None, T]:
    """Pass a job's events on, and keep its result."""
    for event in job:
        if isinstance(event, Done):
            return event.result
        yield event
    raise RuntimeError("a job ended without a Done event")


def _rows(
    known: list[Image.Image],
    training: list[Image.Image],
    asked: Mapping[str, list[Image.Image]],
    held_out: list[Image.Image],
) -> Iterator[tuple[str, list[Image.Image]]]:
    yield "the base model draws what it was trained on", known
    for start in range(0, len(training), _COLUMNS):
        yield "the character, as the LoRA is taught it", training[start : start + _COLUMNS]
    for label, pictures in asked.items():
        yield f"asked for poses that were held out: {label}", pictures
    yield "the held-out poses", held_out


def _mean_distance(pictures: Sequence[Image.Image], wanted: Sequence[Image.Image]) -> float:
    pairs = zip(pictures, wanted, strict=True)
    return mean(distance(thumbnail(picture), thumbnail(target)) for picture, target in pairs)
