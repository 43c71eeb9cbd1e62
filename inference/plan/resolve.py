"""Looks everything up that a request names, and checks that it belongs together."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from inference.images.inputs import Inputs
from inference.plan.adapters import find_loras, plan_loras
from inference.plan.beside import find_beside
from inference.plan.controls import as_asked
from inference.plan.embeddings import plan_embeddings, with_embeddings
from inference.plan.further import check_passes, check_sizes, plan_hires, plan_refiner, with_passes
from inference.plan.hypernetworks import hypernetworks_by_digest, plan_hypernetworks
from inference.plan.inputs import with_inputs
from inference.plan.models import Models, find_models, plan_model
from inference.plan.noise import check_levels
from inference.plan.nouns import LoadPlan, ModelPlan
from inference.plan.pictures import check_over, sized
from inference.prompt.networks import renamed, without_comments
from inference.request import SEEDS, GenerationRequest, Hires, LoraUse, Variation
from inference.samplers import find
from inference.weights.parts import UNET
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
    check_passes(request)
    inputs = inputs or Inputs(catalog.workspace.inputs)
    models = find_models(request, catalog)
    base = plan_model(models, catalog, clip_skip=request.clip_skip)
    request = hypernetworks_by_digest(_without_comments(request), catalog)
    loras = find_loras(request, models.base, catalog)
    base = _with_networks(base, request, models, loras, catalog)
    hires, refiner = plan_hires(request, models, base, catalog), plan_refiner(request, models, catalog)
    beside = find_beside(request, models.base, base.parts[UNET], catalog)
    request = beside.by_digest(with_passes(_with_digests(request, models, loras, catalog), hires, refiner))
    request = with_inputs(request, inputs)
    check_over(request, base, inputs)
    base = plan_embeddings(request, base, catalog)
    second, last = (plan_embeddings(request, one.plan, catalog) if one else None for one in (hires, refiner))
    request = with_embeddings(request, (base, second, last))
    request = _filled(request, sized(request, inputs, base.resolution))
    check_levels(request, base.table)
    check_sizes(request)
    further = [pair for one in (hires, refiner) if one for pair in one.used]
    networks = _used_networks((base, second, last), catalog)
    used = (*models.used, *(("lora", lora.id) for _, lora in loras), *further, *beside.used, *networks)
    return LoadPlan(
        request=request,
        base=base,
        used=used,
        inputs=inputs,
        hires=second,
        refiner=last,
        upscalers={one.ref: one for one in beside.upscalers.values()},
        faces=beside.faces,
        controls=as_asked(beside.controls, request),
        names=_names(used, catalog),
    )


def _with_networks(
    base: ModelPlan, request: GenerationRequest, models: Models, loras: Sequence[tuple[LoraUse, Artifact]],
    catalog: Catalog,
) -> ModelPlan:  # fmt: skip
    """The base with the LoRAs and hypernetworks of the request, checked against it."""
    return replace(
        base,
        adapters=plan_loras(loras, base.parts),
        hypernetworks=plan_hypernetworks(request.prompt, models.base, catalog),
        tiling=request.tiling,
    )


def _used_networks(models: Sequence[ModelPlan | None], catalog: Catalog) -> tuple[tuple[str, int], ...]:
    """(role, catalog ID) of their hypernetworks and embeddings, each once."""
    there = [model for model in models if model]
    named = [("hypernetwork", one.sha256) for model in there for one in model.hypernetworks]
    named += [("embedding", one.sha256) for model in there for one in model.embeddings]
    return tuple((role, catalog.resolve(digest).id) for role, digest in dict.fromkeys(named))


def _names(used: Sequence[tuple[str, int]], catalog: Catalog) -> Mapping[str, str]:
    """What the catalog calls them, by SHA-256."""
    return {catalog.sha256(one): one.name for one in (catalog.artifact(number) for _, number in used)}


def _with_digests(
    request: GenerationRequest, models: Models, loras: Sequence[tuple[LoraUse, Artifact]], catalog: Catalog
) -> GenerationRequest:
    """With a SHA-256 wherever a model is named."""
    digests = [catalog.sha256(lora) for _, lora in loras]
    tags = len(loras) - len(request.loras)
    named = zip((use for use, _ in loras[tags:]), digests[tags:], strict=True)
    return request.model_copy(
        update={
            "model": catalog.sha256(models.base),
            "unet": catalog.sha256(models.unet) if models.unet else None,
            "vae": catalog.sha256(models.vae) if models.vae else None,
            "text_encoders": tuple(catalog.sha256(one) for one in models.text_encoders),
            "prompt": renamed(request.prompt, digests[:tags]),
            "loras": tuple(use.model_copy(update={"ref": digest}) for use, digest in named),
        }
    )


def _filled(request: GenerationRequest, size: tuple[int, int]) -> GenerationRequest:
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
            "seed": _seed(request.seed),
            "variation": _with_seed(request.variation) if request.variation else None,
            "width": size[0],
            "height": size[1],
        }
    )


def _with_seed(variation: Variation) -> Variation:
    return variation.model_copy(update={"seed": _seed(variation.seed)})


def _seed(seed: int) -> int:
    return random.randrange(SEEDS) if seed == -1 else seed


def _without_comments(request: GenerationRequest) -> GenerationRequest:
    changes: dict[str, Any] = _plain(request)
    if request.hires:
        changes["hires"] = request.hires.model_copy(update=_plain(request.hires))
    return request.model_copy(update=changes)


def _plain(said: GenerationRequest | Hires) -> dict[str, str]:
    texts = {field: getattr(said, field) for field in ("prompt", "negative_prompt")}
    return {field: without_comments(text) for field, text in texts.items() if text}
