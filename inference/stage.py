"""A model that stands ready for a pass: loaded, its prompts encoded."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass

from torch import nn

from inference.attention import lightened
from inference.conditioning.encoders import text_encoder
from inference.conditioning.padding import padded
from inference.conditioning.prompts import guides, timeline
from inference.conditioning.timeline import Guide, Said, Timeline
from inference.engine import Engine, stamps
from inference.model import Model
from inference.objectives import objective
from inference.plan import ModelPlan
from inference.plan.noise import wanted_levels
from inference.prompt.networks import without_networks
from inference.request import GenerationRequest
from inference.shelf import Stamp
from inference.weights.parts import TEXT_ROLES, UNET

__all__ = ["Stage", "set_stage"]


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """What a denoiser is made of."""

    plan: ModelPlan
    model: Model
    guides: tuple[Guide, ...]
    negative: Timeline


def set_stage(
    plan: ModelPlan, engine: Engine, request: GenerationRequest, *, calls: int, size: tuple[int, int], before: int = 0
) -> Stage:
    """Load what the plan names, and encode the request's prompts for `calls` calls of the model at `size` px.

    `before` counts the calls of the pass that this one follows. Only the prompt calls for networks and is split at
    AND, as in webui.
    """
    models = engine.prepare(plan)
    key = (_deciding(plan, request), calls, before, size)
    said = engine.texts.take(key)
    if said is None:
        said = _said(plan, models, request, calls, before, size)
        engine.texts.make_room(said.nbytes)
        engine.texts.put(key, said, said.nbytes)
    return Stage(
        plan=plan,
        model=Model(lightened(models[UNET]), objective(plan.prediction, wanted_levels(request, plan.table))),
        guides=said.guides,
        negative=said.negative,
    )


def _said(
    plan: ModelPlan, models: Mapping[str, nn.Module], request: GenerationRequest, calls: int, before: int,
    size: tuple[int, int],
) -> Said:  # fmt: skip
    encoder = text_encoder(plan, models, request, size)
    said = guides(encoder, without_networks(request.prompt), calls, before)
    negative = timeline(encoder, request.negative_prompt, calls, before, negative=True)
    if request.pad != "none":
        said, negative = padded(said, negative, encoder.encode([""])[0], request.pad)
    return Said(said, negative)


def _deciding(plan: ModelPlan, request: GenerationRequest) -> Hashable:
    """All that decides what prompts are encoded to: texts, how they are read, and whose ears hear them."""
    ears = [stamp for role, part in plan.parts.items() if role in TEXT_ROLES for stamp in stamps(part)]
    adapters = [
        (Stamp.of(one.path), one.text_encoder, one.rank, tuple(sorted(one.factors.items()))) for one in plan.adapters
    ]
    names = [(one.name, one.sha256) for one in plan.embeddings]
    texts = (without_networks(request.prompt), request.negative_prompt)
    reading = (request.clip_skip, request.emphasis, request.comma_backtrack, request.pad)
    return plan.family.name, tuple(ears), tuple(adapters), tuple(names), texts, reading
