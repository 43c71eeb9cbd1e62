"""Pictures of what was trained so far, from the bytes as written, by the same path as every other picture."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from inference.adapters.hypernetwork import parse_hypernetwork
from inference.engine import Engine
from inference.generate import Picture, render
from inference.images.png import save
from inference.plan import HypernetworkPlan, ModelPlan, plan_adapter, plan_embedding
from inference.weights.folder import model_parts, model_weights
from inference.weights.parts import UNET
from inference.weights.single_file import part_in
from modelhub.headers import read_table
from modelhub.jobs import Preview
from modelhub.kinds import Kind
from trainers.plan import TrainingPlan
from trainers.recipe import Recipe
from trainers.running.exporting import Written
from trainers.running.runs import RunFolder

__all__ = ["previews", "with_trained"]


def previews(
    plan: TrainingPlan, copy: Sequence[Written], step: int, folder: RunFolder, engine: Engine
) -> Iterator[Preview]:
    """Draw the recipe's prompts with a written copy, read back like any other model."""
    wanted = plan.recipe.preview
    base = with_trained(plan.base, copy, plan.recipe)
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


def with_trained(base: ModelPlan, copy: Sequence[Written], recipe: Recipe, strength: float = 1.0) -> ModelPlan:
    """The base with all that a training wrote in it: each kind as `generate` would take it from the catalog."""
    for one in copy:
        if one.is_first:
            base = _TAKEN[one.kind](base, one.path, recipe, strength)
    return base


def _with_lora(base: ModelPlan, path: Path, recipe: Recipe, strength: float) -> ModelPlan:
    adapter = plan_adapter(path, base.parts, name=path.stem, unet=strength, text_encoder=strength)
    return replace(base, adapters=(*base.adapters, adapter))


def _with_word(base: ModelPlan, path: Path, recipe: Recipe, strength: float) -> ModelPlan:
    return replace(base, embeddings=(plan_embedding(path, base, name=recipe.token, sha256=_sha256(path)),))


def _with_hypernetwork(base: ModelPlan, path: Path, recipe: Recipe, strength: float) -> ModelPlan:
    nets = parse_hypernetwork(path, read_table(path))
    return replace(base, hypernetworks=(HypernetworkPlan(path.stem, _sha256(path), path, strength, nets),))


def _with_checkpoint(base: ModelPlan, path: Path, recipe: Recipe, strength: float) -> ModelPlan:
    return replace(base, parts={**base.parts, **model_parts(path, base.family)})


def _with_unet(base: ModelPlan, path: Path, recipe: Recipe, strength: float) -> ModelPlan:
    return replace(base, parts={**base.parts, UNET: part_in(model_weights(path, UNET), base.family, UNET)})


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


_TAKEN: Mapping[Kind, Callable[[ModelPlan, Path, Recipe, float], ModelPlan]] = {
    Kind.LORA: _with_lora,
    Kind.EMBEDDING: _with_word,
    Kind.HYPERNETWORK: _with_hypernetwork,
    Kind.CHECKPOINT: _with_checkpoint,
    Kind.UNET: _with_unet,
}
