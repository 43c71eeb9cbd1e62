"""What a recipe comes to when everything it names is looked up: nothing is loaded yet (no torch)."""

from dataclasses import dataclass

from inference.plan import LoadPlan, ModelPlan, resolve
from inference.request import GenerationRequest
from modelhub.catalog import Catalog
from modelhub.errors import Incompatible
from trainers.buckets import Placement, bucket_sizes, default_step, place
from trainers.dataset import Sample, dataset_digest, read_dataset
from trainers.recipe import Recipe
from trainers.views import Item

__all__ = ["TrainingPlan", "plan_training"]

_TRAINED = ("sd1",)
"""Families of which captions are read as they are for a picture."""


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """A training that can begin."""

    recipe: Recipe
    """Resolved: digests for references, absolute paths, a number of steps."""
    load: LoadPlan
    """The base, found as for a picture."""
    samples: tuple[Sample, ...]
    """All pictures, those that are held out too."""
    items: tuple[Item, ...]
    """What an epoch lists."""
    held_out: tuple[Item, ...] = ()
    """By which it is judged."""

    @property
    def base(self) -> ModelPlan:
        return self.load.base

    @property
    def resolution(self) -> int:
        """Pixels of a side, the greatest of several."""
        wanted = self.recipe.dataset.resolution or self.load.size[0]
        return max(wanted) if isinstance(wanted, tuple) else wanted

    @property
    def dataset(self) -> str:
        """The dataset's digest."""
        return dataset_digest(list(self.samples))


def plan_training(recipe: Recipe, catalog: Catalog) -> TrainingPlan:
    """Look up the base, read the dataset, place every picture; raises what is wrong with any of them."""
    load = _base(recipe, catalog)
    dataset = recipe.dataset.model_copy(update={"images": recipe.dataset.images and recipe.dataset.images.absolute()})
    assert dataset.images is not None
    samples = read_dataset(dataset.images)
    resolved = recipe.model_copy(
        update={"base": load.request.model, "dataset": dataset, "steps": _steps(recipe, samples)}
    )
    return TrainingPlan(resolved, load, tuple(samples), tuple(_items(resolved, load, samples)))


def _base(recipe: Recipe, catalog: Catalog) -> LoadPlan:
    """The base, looked up and checked as for a picture."""
    request = GenerationRequest(prompt="", model=recipe.base, vae=recipe.vae, seed=0, clip_skip=recipe.clip_skip)
    plan = resolve(request, catalog)
    if plan.base.family.name not in _TRAINED:
        raise Incompatible(
            f"training on {plan.base.family.title} models is not possible yet: {plan.base.model.name} is one",
            mend="modelhub ls --family sd1 --kind checkpoint",
        )
    return plan


def _steps(recipe: Recipe, samples: list[Sample]) -> int:
    if recipe.steps:
        return recipe.steps
    if recipe.epochs:
        seen = sum(sample.repeats for sample in samples)
        return max(1, round(recipe.epochs * seen / (recipe.batch * recipe.compute.accumulate)))
    least, most = recipe.steps_range
    return min(max(round(recipe.steps_per_image * len(samples)), least), most)


def _items(recipe: Recipe, load: LoadPlan, samples: list[Sample]) -> list[Item]:
    """How each image becomes a training picture, at each resolution."""
    wanted = recipe.dataset.resolution or load.size[0]
    resolutions = wanted if isinstance(wanted, tuple) else (wanted,)
    return [item for resolution in resolutions for item in _items_at(resolution, recipe, samples)]


def _items_at(resolution: int, recipe: Recipe, samples: list[Sample]) -> list[Item]:
    step = recipe.dataset.bucket_step or default_step(resolution)
    sizes = bucket_sizes(resolution, step) if recipe.dataset.buckets else [(resolution, resolution)]
    return [
        Item(index, _placed(sample, sizes), sample.repeats, sample.subset.weight)
        for index, sample in enumerate(samples)
    ]


def _placed(sample: Sample, sizes: list[tuple[int, int]]) -> Placement:
    return place(sample.size, sizes)
