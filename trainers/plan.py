"""What a recipe comes to when everything it names is looked up: nothing is loaded yet (no torch)."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from inference.plan import AdapterPlan, LoadPlan, ModelPlan, resolve
from inference.request import GenerationRequest, LoraUse
from modelhub.catalog import Catalog
from modelhub.errors import MissingFile
from trainers.bases import check_base
from trainers.dataset import Dataset, Sample, dataset_digest, gather
from trainers.dataset.glances import Glances
from trainers.dataset.held_out import held_out
from trainers.dataset.regularisation import evened
from trainers.fitting import check_fit
from trainers.framing.buckets import Placement, bucket_sizes, default_step, place
from trainers.framing.views import Item, listed
from trainers.recipe import LoraOptions, Recipe, TextualInversionOptions

__all__ = ["TrainingPlan", "fitted", "plan_training"]


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
    notices: tuple[str, ...] = ()
    """What the user should know of the dataset."""
    start: AdapterPlan | None = None
    """A LoRA that it goes on from."""
    inputs: tuple[tuple[str, int], ...] = ()
    """(role, catalog ID) of the models that it is made of."""

    @property
    def base(self) -> ModelPlan:
        return self.load.base

    @property
    def taught(self) -> ModelPlan:
        """The base, with the adapter that it goes on from."""
        return replace(self.base, adapters=(self.start,)) if self.start else self.base

    @property
    def resolution(self) -> int:
        """Pixels of a side, the greatest of several."""
        return max(side for one in self.samples for side in _resolutions(self.recipe, self.load, one))

    @property
    def dataset(self) -> str:
        """The dataset's digest."""
        return dataset_digest(list(self.samples))


def plan_training(recipe: Recipe, catalog: Catalog, glances: Glances | None = None) -> TrainingPlan:
    """Look up the base, read the dataset, place every picture; raises what is wrong with any of them.

    `glances` may know the pictures; without them, those are looked up that the workspace keeps.
    """
    load, start = fitted(recipe, catalog)
    dataset = gather(
        recipe.dataset,
        captioned=_reads_captions(recipe),
        class_caption=recipe.prior.caption,
        glances=glances or Glances.of(catalog.workspace),
    )
    recipe = _with_dataset(recipe.model_copy(update={"base": load.request.model}), dataset)
    samples = dataset.samples
    apart = held_out(samples, recipe.validation.share)
    repeats = _repeats(samples, apart)
    items = tuple(_items(recipe, load, samples, repeats))
    judging = tuple(_items(recipe, load, samples, dict.fromkeys(sorted(apart), 1.0)))
    resolved = _going_on(recipe, start).model_copy(update={"steps": _steps(recipe, items)})
    notices = (*dataset.notices, *_told(apart, samples))
    adapter = start.base.adapters[0] if start else None
    return TrainingPlan(resolved, load, samples, items, judging, notices, adapter, _inputs(load, start))


def fitted(recipe: Recipe, catalog: Catalog) -> tuple[LoadPlan, LoadPlan | None]:
    """The base, found to do what the recipe asks of it, and with the LoRA to go on from; no picture is read."""
    load = _base(recipe, catalog)
    start = _start(recipe, load, catalog)
    check_fit(recipe, load, start, catalog)
    return load, start


def _start(recipe: Recipe, load: LoadPlan, catalog: Catalog) -> LoadPlan | None:
    """The base with the LoRA that the recipe names to go on from, checked as for a picture."""
    named = recipe.options.start if isinstance(recipe.options, LoraOptions) else None
    return resolve(load.request.model_copy(update={"loras": (LoraUse(ref=named),)}), catalog) if named else None


def _going_on(recipe: Recipe, start: LoadPlan | None) -> Recipe:
    """With the digest in place of a name."""
    if start is None:
        return recipe
    options = recipe.options.model_copy(update={"start": start.request.loras[0].ref})
    return recipe.model_copy(update={"options": options})


def _inputs(load: LoadPlan, start: LoadPlan | None) -> tuple[tuple[str, int], ...]:
    loras = [number for role, number in start.used if role == "lora"] if start else []
    return (("base", load.used[0][1]), *(("start", number) for number in loras))


def _base(recipe: Recipe, catalog: Catalog) -> LoadPlan:
    """The base, looked up and checked as for a picture."""
    request = GenerationRequest(prompt="", model=recipe.base, vae=recipe.vae, seed=0, clip_skip=recipe.clip_skip)
    plan = resolve(request, catalog)
    check_base(plan.base)
    return plan


def _reads_captions(recipe: Recipe) -> bool:
    """A textual inversion may be taught by phrases of its own."""
    return not isinstance(recipe.options, TextualInversionOptions) or recipe.options.templates == "captions"


def _with_dataset(recipe: Recipe, dataset: Dataset) -> Recipe:
    """The recipe with what the dataset's own description says."""
    found = dataset.described
    share = recipe.validation.share if found.held_out is None else found.held_out
    triggers = {one.subset.trigger for one in dataset.samples if not one.subset.regularisation}
    return recipe.model_copy(
        update={
            "dataset": found.options,
            "trigger": recipe.trigger or (triggers.pop() if len(triggers) == 1 else ""),
            "validation": recipe.validation.model_copy(update={"share": share}),
        }
    )


def _told(apart: Collection[int], samples: Sequence[Sample]) -> Iterator[str]:
    if apart:
        whole = sum(not one.subset.regularisation for one in samples)
        yield f"{len(apart)} of {whole} pictures are held out to judge by: --held-out 0 learns from all"


def _repeats(samples: Sequence[Sample], apart: Collection[int]) -> Mapping[int, float]:
    """How often an epoch has each picture that is learned from; those of the class as often as all others."""
    learned = {
        index: one.repeats
        for index, one in enumerate(samples)
        if index not in apart and not one.subset.regularisation and not one.subset.held_out
    }
    if not learned:
        raise MissingFile("the dataset has no pictures to learn from", mend="modelhub train lora --images FOLDER")
    classes = [index for index, one in enumerate(samples) if one.subset.regularisation]
    evenly = evened([samples[index].repeats for index in classes], round(sum(learned.values())))
    return dict(sorted({**learned, **dict(zip(classes, evenly, strict=True))}.items()))


def _steps(recipe: Recipe, items: Sequence[Item]) -> int:
    if recipe.steps:
        return recipe.steps
    if recipe.epochs:
        size = recipe.batch * recipe.compute.accumulate
        return max(1, sum(-(-len(listed(items, epoch)) // size) for epoch in range(recipe.epochs)))
    least, most = recipe.steps_range
    learned = len({one.sample for one in items if not one.prior})
    return min(max(round(recipe.steps_per_image * learned), least), most)


def _items(recipe: Recipe, load: LoadPlan, samples: Sequence[Sample], repeats: Mapping[int, float]) -> Iterator[Item]:
    """How each picture that is repeated becomes training pictures, at each of its resolutions."""
    wanted = {index: _resolutions(recipe, load, samples[index]) for index, times in repeats.items() if times}
    for resolution in sorted({side for sides in wanted.values() for side in sides}):
        buckets = _Buckets.of(recipe, resolution)
        for index in (index for index, sides in wanted.items() if resolution in sides):
            one = samples[index].subset
            weight = one.weight * (recipe.prior.weight if one.regularisation else 1.0)
            yield Item(index, buckets.place(samples[index]), repeats[index], weight, one.regularisation)


def _resolutions(recipe: Recipe, load: LoadPlan, sample: Sample) -> tuple[int, ...]:
    wanted = sample.subset.resolution or recipe.dataset.resolution or load.size[0]
    return wanted if isinstance(wanted, tuple) else (wanted,)


@dataclass(frozen=True, slots=True)
class _Buckets:
    """The sizes that pictures have at one resolution."""

    sizes: list[tuple[int, int]]
    step: int
    area: int
    upscale: bool

    @classmethod
    def of(cls, recipe: Recipe, resolution: int) -> "_Buckets":
        options = recipe.dataset
        step = options.bucket_step or default_step(resolution)
        if not options.buckets:
            return cls([(resolution, resolution)], step, resolution**2, upscale=True)
        return cls(bucket_sizes(resolution, step, options.bucket_sides), step, resolution**2, options.upscale)

    def place(self, sample: Sample) -> Placement:
        return place(sample.size, self.sizes, step=self.step, area=self.area, upscale=self.upscale)
