"""A model that stands ready for a pass: loaded, its prompts encoded."""

from dataclasses import dataclass

from inference.attention import lightened
from inference.conditioning.encoders import text_encoder
from inference.conditioning.padding import padded
from inference.conditioning.prompts import guides, timeline
from inference.conditioning.timeline import Guide, Timeline
from inference.engine import Engine
from inference.model import Model
from inference.objectives import objective
from inference.plan import ModelPlan
from inference.plan.noise import wanted_levels
from inference.prompt.networks import without_networks
from inference.request import GenerationRequest
from inference.weights.single_file import UNET

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
    encoder = text_encoder(plan, models, request, size)
    said = guides(encoder, without_networks(request.prompt), calls, before)
    negative = timeline(encoder, request.negative_prompt, calls, before, negative=True)
    if request.pad != "none":
        said, negative = padded(said, negative, encoder.encode([""])[0], request.pad)
    return Stage(
        plan=plan,
        model=Model(lightened(models[UNET]), objective(plan.prediction, wanted_levels(request, plan.table))),
        guides=said,
        negative=negative,
    )
