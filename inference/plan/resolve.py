"""Looks everything up that a request names, and checks that it belongs together."""

import random
from collections.abc import Sequence
from dataclasses import replace

from inference.images.inputs import Inputs
from inference.plan.adapters import find_loras, plan_loras
from inference.plan.inputs import with_inputs
from inference.plan.models import Models, find_models, plan_model
from inference.plan.nouns import LoadPlan
from inference.prompt.networks import renamed, without_comments
from inference.request import SEEDS, GenerationRequest, LoraUse
from inference.samplers import find
from modelhub.catalog import Catalog
from modelhub.errors import BadValue
from modelhub.kinds import Artifact

__all__ = ["resolve"]


def resolve(request: GenerationRequest, catalog: Catalog, inputs: Inputs | None = None) -> LoadPlan:
    """Look everything up and check that it belongs together.

    Raises `UnknownRef`, `Incompatible` or `BadValue` with the next thing to type; reads headers only, and hashes
    a file the first time it is used. Pictures that it is drawn from are copied to `inputs`, the workspace's own
    where none are given.
    """
    inputs = inputs or Inputs(catalog.workspace.inputs)
    models = find_models(request, catalog)
    base = plan_model(models, catalog, clip_skip=request.clip_skip)
    request = _without_comments(request)
    loras = find_loras(request, models.base, catalog)
    request = with_inputs(_with_digests(request, models, loras, catalog), inputs)
    return LoadPlan(
        request=_filled(request, base.resolution),
        base=replace(base, adapters=plan_loras(loras, base.parts)),
        used=(*models.used, *(("lora", lora.id) for _, lora in loras)),
        inputs=inputs,
    )


def _with_digests(
    request: GenerationRequest, models: Models, loras: Sequence[tuple[LoraUse, Artifact]], catalog: Catalog
) -> GenerationRequest:
    """With a SHA-256 wherever a model is named."""
    digests = [catalog.sha256(lora) for _, lora in loras]
    tags = len(loras) - len(request.loras)
    named = zip(request.loras, digests[tags:], strict=True)
    return request.model_copy(
        update={
            "model": catalog.sha256(models.base),
            "vae": catalog.sha256(models.vae) if models.vae else None,
            "prompt": renamed(request.prompt, digests[:tags]),
            "loras": tuple(use.model_copy(update={"ref": digest}) for use, digest in named),
        }
    )


def _filled(request: GenerationRequest, resolution: int) -> GenerationRequest:
    """With what was left open: a seed, a size, the sampler's full name and its schedule."""
    sampler, schedule = find(request.sampler, request.schedule)
    if sampler.adaptive and request.batch > 1:
        raise BadValue(
            f"{sampler.name} takes each image's own steps, so it draws one at a time, not {request.batch}",
            mend=f"modelhub generate ... --batch 1 --count {request.images}",
        )
    return request.model_copy(
        update={
            "sampler": sampler.name,
            "schedule": schedule,
            "seed": random.randrange(SEEDS) if request.seed == -1 else request.seed,
            "width": request.width or resolution,
            "height": request.height or resolution,
        }
    )


def _without_comments(request: GenerationRequest) -> GenerationRequest:
    texts = {field: without_comments(getattr(request, field)) for field in ("prompt", "negative_prompt")}
    return request.model_copy(update=texts)
