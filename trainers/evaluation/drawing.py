"""Pictures to judge by: the same prompts and seeds for every copy and strength."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace

from PIL import Image

from inference.engine import Engine
from inference.generate import Picture, render
from inference.plan import LoadPlan, ModelPlan
from modelhub.jobs import Notice, Progress

__all__ = ["UNRELATED", "Looks", "draw", "prompts_of"]

UNRELATED = (
    "a red apple on a table",
    "a cat sleeping on a sofa",
    "a mountain lake at sunset",
    "portrait of an old man with a beard",
    "a city street in the rain at night",
    "a bowl of noodles",
    "an oil painting of a sailing ship",
    "a sunflower",
)
"""Things that a character or a style should leave alone."""


@dataclass(frozen=True, slots=True)
class Looks:
    """How pictures to judge by are drawn."""

    prompts: tuple[str, ...]
    seeds: int = 2
    """Pictures a prompt."""
    steps: int = 20
    cfg: float = 7.0
    seed: int = 1
    """Of each prompt's first picture."""


def draw(
    load: LoadPlan, model: ModelPlan, looks: Looks, engine: Engine
) -> Generator[Progress | Notice, None, list[Image.Image]]:
    """All prompts at all seeds, prompt after prompt."""
    width, height = load.size
    drawn: list[Image.Image] = []
    for prompt in looks.prompts:
        fields = {"prompt": prompt, "negative_prompt": "", "steps": looks.steps, "cfg": looks.cfg, "seed": looks.seed}
        fields |= {"batch": looks.seeds, "count": 1, "width": width, "height": height}
        request = load.request.model_copy(update=fields)
        for event in render(replace(load, request=request, base=model), engine):
            if isinstance(event, Picture):
                drawn.append(event.image)
            elif isinstance(event, Notice):
                yield event
    return drawn


def prompts_of(captions: Sequence[str], most: int = 4) -> tuple[str, ...]:
    """Different captions, spread over all of them."""
    different = list(dict.fromkeys(one for one in captions if one))
    apart = max(1, len(different) // most)
    return tuple(different[::apart][:most])
