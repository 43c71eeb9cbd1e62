"""A model that stands ready for a pass: loaded, its prompts encoded."""

from dataclasses import dataclass

from inference.conditioning.clip import ClipEncoder
from inference.conditioning.timeline import Guide, Timeline
from inference.engine import Engine
from inference.model import Model
from inference.objectives import objective
from inference.plan import ModelPlan
from inference.prompt.networks import without_networks
from inference.request import GenerationRequest
from inference.schedules import SigmaTable
from inference.weights.single_file import TEXT_ENCODER, UNET

__all__ = ["Stage", "set_stage"]


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """What a denoiser is made of."""

    plan: ModelPlan
    model: Model
    guides: tuple[Guide, ...]
    negative: Timeline


def set_stage(
    plan: ModelPlan, engine: Engine, request: GenerationRequest, *, calls: int, size: tuple[int, int]
) -> Stage:
    """Load what the plan names, and encode the request's prompts for `calls` calls of the model at `size` px.

    Only the prompt calls for networks and is split at AND, as in webui.
    """
    models = engine.prepare(plan)
    encoder = ClipEncoder(
        models[TEXT_ENCODER],
        clip_skip=request.clip_skip,
        emphasis=request.emphasis,
        comma_backtrack=request.comma_backtrack,
    )
    return Stage(
        plan=plan,
        model=Model(models[UNET], objective(plan.prediction, SigmaTable(plan.noise))),
        guides=encoder.guides(without_networks(request.prompt), calls),
        negative=encoder.timeline(request.negative_prompt, calls),
    )
