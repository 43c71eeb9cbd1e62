"""The one path that every picture takes, whoever asks for it: the CLI, a training's preview, a program."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from inference.canvas import Canvas
from inference.denoiser import Denoiser
from inference.engine import Engine
from inference.images.png import save_new, to_image
from inference.infotext import infotext
from inference.noise import ImageNoise
from inference.passes import draw, first_pass
from inference.plan import LoadPlan, resolve
from inference.request import GenerationRequest
from inference.stage import set_stage
from modelhub.catalog import Catalog
from modelhub.errors import ModelHubError, OutOfResources
from modelhub.jobs import Done, Job, Progress
from modelhub.licences import check
from modelhub.upkeep.terms import named
from modelhub.workspace import Workspace

__all__ = ["REQUEST_KEY", "Picture", "generate", "output_folder", "render"]

REQUEST_KEY = "modelhub"
"""PNG text chunk that holds the resolved request as JSON."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One image and how to draw it again."""

    image: Image.Image
    seed: int
    infotext: str
    request: GenerationRequest
    """Draws this image alone."""
    path: Path | None = None
    """Where it was saved."""


def generate(
    request: GenerationRequest, *, catalog: Catalog, engine: Engine, out: Path, require: str | None = None
) -> Job[tuple[Picture, ...]]:
    """Draw a request and save its pictures in `out`, each as soon as its batch is done.

    The run and every picture are recorded in the catalog, so that lineage is a query. What is interrupted keeps
    the pictures that were finished. Raises `LicenceForbids` where the licences of its models do not allow what
    is required, before a weight is read.
    """
    plan = resolve(request, catalog)
    if require:
        check(require, [named(catalog, catalog.artifact(used)) for _, used in plan.used])
    run = catalog.begin_run("generate", plan.request.payload(), plan.used)
    saved: list[Picture] = []
    state, wrong = "interrupted", None
    try:
        for event in render(plan, engine):
            if isinstance(event, Picture):
                saved.append(_save(event, out, catalog, run))
            else:
                yield event
        state = "done"
    except torch.OutOfMemoryError as error:
        state, wrong = "failed", "the GPU's memory is full"
        raise OutOfResources(wrong, mend="modelhub generate ... --batch 1, or a smaller --size") from error
    except Exception as error:
        state, wrong = "failed", str(error)
        raise
    finally:
        catalog.finish_run(run, state=state, error=wrong)
    yield Done(tuple(saved))


def output_folder(workspace: Workspace) -> Path:
    """Where pictures go unless somebody says otherwise: a folder a day."""
    return workspace.outputs / date.today().isoformat()


def render(plan: LoadPlan, engine: Engine) -> Iterator[Progress | Picture]:
    """Draw a plan's images, a batch at a time; nothing is saved."""
    way = first_pass(plan.request)
    stage = set_stage(plan.base, engine, plan.request, calls=way.calls, size=plan.size)
    canvas = Canvas(plan.size)
    for start in range(0, plan.request.images, plan.request.batch):
        seeds = plan.seeds[start : start + plan.request.batch]
        denoiser = Denoiser(stage.model, stage.guides, stage.negative, way.guidance, canvas.beside)
        noise = ImageNoise(seeds, plan.base.family.latent.shape(canvas.size), plan.request.noise, engine.device)
        task = f"images {start + 1}-{start + len(seeds)} of {plan.request.images}"
        latents = yield from draw(way, denoiser, noise, canvas, task=task)
        for seed, pixels in zip(seeds, engine.decode(plan.base, latents), strict=True):
            yield _picture(plan, seed, pixels)


def _picture(plan: LoadPlan, seed: int, pixels: Tensor) -> Picture:
    if not pixels.isfinite().all():
        raise ModelHubError(
            f"the image of seed {seed} came out as NaN: the weights overflow in half precision, or are broken",
            mend="modelhub verify, then on a GPU: modelhub generate ... --device cpu",
        )
    return Picture(to_image(pixels), seed, infotext(plan, seed), plan.request.for_image(seed))


def _save(picture: Picture, out: Path, catalog: Catalog, run: int) -> Picture:
    texts = {"parameters": picture.infotext, REQUEST_KEY: picture.request.to_json()}
    path = save_new(picture.image, out, seed=picture.seed, texts=texts)
    catalog.pictures.record(
        run,
        path=path,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        width=picture.image.width,
        height=picture.image.height,
        infotext=picture.infotext,
    )
    return replace(picture, path=path)
