"""The one path that every picture takes, whoever asks for it: the CLI, a training's preview, a program."""

import hashlib
import math
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor, nn

from inference.conditioning.clip import ClipEncoder
from inference.conditioning.timeline import Guide, Timeline
from inference.denoiser import Denoiser
from inference.engine import Engine
from inference.images.png import save_new, to_image
from inference.infotext import infotext
from inference.noise import ImageNoise
from inference.plan import LoadPlan, resolve
from inference.prompt.networks import without_networks
from inference.request import GenerationRequest
from inference.samplers import Options, find
from inference.schedules import SigmaTable
from inference.weights.single_file import TEXT_ENCODER, UNET, VAE
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
    models = engine.prepare(plan)
    cond, uncond = _encode(plan, models[TEXT_ENCODER])
    for start in range(0, plan.request.images, plan.request.batch):
        seeds = plan.seeds[start : start + plan.request.batch]
        task = f"images {start + 1}-{start + len(seeds)} of {plan.request.images}"
        denoiser = Denoiser(
            models[UNET],
            SigmaTable(plan.noise),
            plan.prediction,
            cond,
            uncond,
            plan.request.cfg * find(plan.request.sampler, plan.request.schedule)[0].guidance,
        )
        latents = yield from _denoise(plan, denoiser, seeds, engine.device, task)
        for seed, pixels in zip(seeds, engine.decode(models[VAE], latents, plan.family.latent.scale), strict=True):
            yield _picture(plan, seed, pixels)


def _encode(plan: LoadPlan, text_encoder: nn.Module) -> tuple[tuple[Guide, ...], Timeline]:
    """What prompt and negative prompt ask for; only the prompt calls for networks and is split at AND, as in webui."""
    request = plan.request
    calls = request.steps * find(request.sampler, request.schedule)[0].calls
    encoder = ClipEncoder(
        text_encoder,
        clip_skip=request.clip_skip,
        emphasis=request.emphasis,
        comma_backtrack=request.comma_backtrack,
    )
    prompt = without_networks(request.prompt)
    return encoder.guides(prompt, calls), encoder.timeline(request.negative_prompt, calls)


def _denoise(
    plan: LoadPlan, denoiser: Denoiser, seeds: Sequence[int], device: torch.device, task: str
) -> Generator[Progress, None, Tensor]:
    """Latents of one batch, from its first noise to sigma 0; says how far it is after every step."""
    width, height = plan.size
    latent = plan.family.latent
    noise = ImageNoise(
        seeds, (latent.channels, height // latent.downscale, width // latent.downscale), plan.request.noise, device
    )
    sampler, schedule = find(plan.request.sampler, plan.request.schedule)
    levels = sampler.levels(schedule, denoiser.table, plan.request.steps)
    x = noise.draw() * sampler.start(levels)
    yield Progress(task, 0, len(levels) - 1)
    for step in sampler.steps(denoiser, x, levels, noise.over(levels), _options(plan.request), denoiser.table):
        x = step.x
        yield Progress(task, step.index + 1, len(levels) - 1)
    return x


def _options(request: GenerationRequest) -> Options:
    return Options(
        eta=request.eta,
        churn=request.s_churn,
        churn_from=request.s_tmin,
        churn_to=request.s_tmax or math.inf,
        noise=request.s_noise,
    )


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
