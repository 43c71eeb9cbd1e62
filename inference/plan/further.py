"""The models that draw after the first one: of a second pass, and of the last noise levels."""

from dataclasses import dataclass, replace
from typing import Any

from inference.plan.adapters import find_loras, plan_loras
from inference.plan.hires import second_pass
from inference.plan.hypernetworks import plan_hypernetworks
from inference.plan.models import Models, find_models, plan_model
from inference.plan.nouns import ModelPlan
from inference.prompt.networks import lora_tags, renamed, without_networks
from inference.request import GenerationRequest, Hires
from inference.samplers import find
from inference.schedules import AUTOMATIC
from modelhub.catalog import Catalog
from modelhub.errors import BadValue, Incompatible
from modelhub.families import family
from modelhub.kinds import Artifact, Kind

__all__ = ["Further", "check_passes", "check_sizes", "plan_hires", "plan_refiner", "with_passes"]

_LEAST = 64
"""Px of a side."""


@dataclass(frozen=True, slots=True)
class Further:
    """A model that draws after the first, or that one once more."""

    plan: ModelPlan
    used: tuple[tuple[str, int], ...] = ()
    """(role, catalog ID) of what it adds to the first one's."""
    networks: tuple[str, ...] = ()
    """SHA-256 of the LoRAs that its prompt names, in their order."""


def check_passes(request: GenerationRequest) -> None:
    """Raises `BadValue` for parts of a request that exclude one another."""
    if request.hires and request.init:
        raise BadValue(
            "a second pass enlarges what was drawn from noise alone, not a picture that is drawn over",
            mend="modelhub generate ... --init FILE --sd-upscale 2",
        )
    if request.tiles and (request.init is None or request.init.mask or request.init.outpaint):
        raise BadValue(
            "tiles are drawn over the whole of a picture, and over nothing else",
            mend="modelhub generate ... --init FILE --sd-upscale 2",
        )


def check_sizes(request: GenerationRequest) -> None:
    """Raises `BadValue` for tiles that have nothing of their own, and for a second pass that has next to nothing."""
    if request.hires:
        second = second_pass(request)
        if min(second.width or 0, second.height or 0) < _LEAST:
            raise BadValue(
                f"a second pass of {second.width}x{second.height} px is too small to be drawn",
                mend="modelhub generate ... --hires 2x",
            )
    sides = [side for side in (request.width, request.height) if side]
    if request.tiles and request.tiles.overlap >= min(sides):
        raise BadValue(
            f"tiles of {'x'.join(map(str, sides))} px cannot overlap by {request.tiles.overlap}",
            mend=f"modelhub generate ... --tile-overlap {min(sides) // 4}",
        )


def plan_hires(request: GenerationRequest, models: Models, base: ModelPlan, catalog: Catalog) -> Further | None:
    """What draws the second pass: its own checkpoint or the first one's, with the LoRAs of its own prompt."""
    hires = request.hires
    if hires is None:
        return None
    asked = request.model_copy(update={"prompt": hires.prompt or request.prompt})
    if hires.model is None:
        return _planned(asked, models, base, catalog) if hires.prompt else Further(base)
    own = catalog.resolve(hires.model, kinds={Kind.CHECKPOINT})
    if own.facts.family != models.base.facts.family:
        asked = _for_another_family(asked, own_prompt=bool(hires.prompt))
    return _checkpoint("hires", asked, hires.model, catalog)


def plan_refiner(request: GenerationRequest, models: Models, catalog: Catalog) -> Further | None:
    """What draws the last noise levels; raises `Incompatible` where its latents mean something else."""
    refiner = request.refiner
    if refiner is None:
        return None
    own = catalog.resolve(refiner.model, kinds={Kind.CHECKPOINT})
    asked = request
    if request.hires and request.hires.prompt and refiner.in_hires != "first pass":
        asked = request.model_copy(update={"prompt": request.hires.prompt})
    if own.facts.family != models.base.facts.family:
        _check_latents(own, models.base)
        asked = _for_another_family(asked, own_prompt=False)
    return _checkpoint("refiner", asked, refiner.model, catalog)


def with_passes(request: GenerationRequest, hires: Further | None, refiner: Further | None) -> GenerationRequest:
    """With digests for what the later passes name, and the names of the second one's sampler and schedule."""
    changes: dict[str, Any] = {}
    if hires and request.hires:
        changes["hires"] = request.hires.model_copy(update=_second(request, request.hires, hires))
    if refiner and request.refiner:
        changes["refiner"] = request.refiner.model_copy(update={"model": refiner.plan.model.sha256})
    return request.model_copy(update=changes)


def _second(request: GenerationRequest, hires: Hires, found: Further) -> dict[str, Any]:
    sampler, schedule = _way(request, hires)
    return {
        "model": found.plan.model.sha256 if hires.model else None,
        "prompt": renamed(hires.prompt, found.networks) if hires.prompt else None,
        "sampler": sampler,
        "schedule": schedule,
    }


def _way(request: GenerationRequest, hires: Hires) -> tuple[str | None, str | None]:
    """Its own sampler and schedule, None where both are the first pass's; "Automatic" stays so for another sampler."""
    first, schedule = find(request.sampler, request.schedule)
    asked = AUTOMATIC if schedule == first.default_schedule else schedule
    sampler, said = find(hires.sampler or first.name)
    inherits = said == sampler.default_schedule and not sampler.only_grid
    own = find(sampler.name, hires.schedule or (asked if inherits else said))
    return (None, None) if own == (first, schedule) else (own[0].name, own[1])


def _check_latents(refiner: Artifact, base: Artifact) -> None:
    """A model can only go on from latents that mean the same to it."""
    spaces = [family(one.facts.family).latent if one.facts.family else None for one in (refiner, base)]
    if spaces[0] != spaces[1]:
        raise Incompatible(
            f"{refiner.name} is {refiner.facts.family} and cannot go on from what {base.name} ({base.facts.family}) "
            "has begun: their latents differ",
            mend=f"modelhub ls --family {base.facts.family} --kind checkpoint",
        )


def _for_another_family(request: GenerationRequest, *, own_prompt: bool) -> GenerationRequest:
    """Without what was chosen for the first model's family; LoRAs that its own prompt names stay."""
    prompt = request.prompt if own_prompt else without_networks(request.prompt)
    return request.model_copy(update={"prompt": prompt, "loras": (), "vae": None})


def _checkpoint(role: str, request: GenerationRequest, ref: str, catalog: Catalog) -> Further:
    request = request.model_copy(update={"model": ref, "unet": None, "text_encoders": ()})
    models = find_models(request, catalog)
    plan = plan_model(models, catalog, clip_skip=request.clip_skip)
    further = _planned(request, models, plan, catalog)
    return replace(further, used=((role, models.base.id), *further.used))


def _planned(request: GenerationRequest, models: Models, plan: ModelPlan, catalog: Catalog) -> Further:
    loras = find_loras(request, models.base, catalog)
    digests = [catalog.sha256(lora) for _, lora in loras]
    return Further(
        plan=replace(
            plan,
            adapters=plan_loras(loras, plan.parts),
            hypernetworks=plan_hypernetworks(request.prompt, models.base, catalog),
            tiling=request.tiling,
        ),
        used=tuple(("lora", lora.id) for _, lora in loras),
        networks=tuple(digests[: len(lora_tags(request.prompt))]),
    )
