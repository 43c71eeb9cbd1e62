"""Pictures of what was trained so far, from the bytes as written, by the same path as every other picture."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from inference.engine import Engine
from inference.generate import Picture, render
from inference.images.png import save
from inference.plan import plan_adapter
from modelhub.jobs import Preview
from trainers.plan import TrainingPlan
from trainers.runs import RunFolder

__all__ = ["previews"]


def previews(plan: TrainingPlan, copy: Path, step: int, folder: RunFolder, engine: Engine) -> Iterator[Preview]:
    """Draw the recipe's prompts with a written copy, read back like any other model."""
    wanted = plan.recipe.preview
    adapter = plan_adapter(copy, plan.base.parts, name=copy.stem)
    base = replace(plan.base, adapters=(adapter,))
    for number, prompt in enumerate(wanted.prompts, start=1):
        request = plan.load.request.model_copy(
            update={
                "prompt": prompt,
                "negative_prompt": wanted.negative_prompt,
                "steps": wanted.sampling_steps,
                "cfg": wanted.cfg,
                "seed": wanted.seed,
            }
        )
        for event in render(replace(plan.load, request=request, base=base), engine):
            if isinstance(event, Picture):
                path = folder.preview(step, number)
                save(event.image, path, {"parameters": event.infotext})
                yield Preview(step, path)
