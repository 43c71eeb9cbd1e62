"""What is computed once is found again as long as it is the same, and never when it is not."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from inference.engine import Engine
from inference.weights.parts import TEXT_ENCODER, UNET, VAE
from modelhub.catalog import Catalog
from modelhub.jobs import Notice, Step
from tests import tiny, tiny_families
from tests.trainers.pictures import write_set
from trainers.learning.batch import Batch
from trainers.material.gathering import gather, gather_texts
from trainers.material.material import Material
from trainers.material.texts import Texts
from trainers.plan import TrainingPlan, plan_training
from trainers.recipe import Recipe
from trainers.running.training import Ready, made_ready

FAMILIES = {"sd1": tiny.write_checkpoint, "sd2": tiny_families.write_sd2, "sdxl": tiny_families.write_sdxl}


def recipe(images: Path, base: str = "sd1", **entries: Any) -> Recipe:
    usual: dict[str, Any] = {"name": "kip", "steps": 3, "options": {"rank": 2}, "text_encoder_learning_rate": 0}
    dataset = {"images": images, **entries.pop("dataset", {})}
    return Recipe.model_validate({"base": base, "dataset": dataset, **usual, **entries})


@pytest.fixture
def images(tmp_path: Path) -> Path:
    return write_set(tmp_path / "pictures", (64, 64), (96, 64), (80, 80))


@pytest.fixture
def base(catalog: Catalog, checkpoint: Path) -> Catalog:
    catalog.add(checkpoint, name="sd1")
    return catalog


def gathered(plan: TrainingPlan, folder: Path) -> tuple[Material, list[str]]:
    """What comes of it, and what was told."""
    job, told = gather(plan, Engine("cpu").load(plan.base.parts[VAE]), folder), []
    try:
        while True:
            event = next(job)
            told += [event.message] if isinstance(event, Notice) else []
    except StopIteration as end:
        return end.value, told


def texts_of(plan: TrainingPlan, folder: Path | None = None, *, learns: bool = False) -> tuple[Texts, list[str]]:
    captions = plan.recipe.dataset.captions
    models = {TEXT_ENCODER: Engine("cpu").load(plan.base.parts[TEXT_ENCODER])}
    found = Texts(plan.base, models, {}, clip_skip=1, learns=learns, captions=captions, folder=folder)
    return found, [event.message for event in gather_texts(plan, found) if isinstance(event, Notice)]


def found_latents(wanted: Recipe, catalog: Catalog, folder: Path) -> str:
    return gathered(plan_training(wanted, catalog), folder)[1][0]


def test_everything_a_step_may_ask_for_is_there(base: Catalog, images: Path, tmp_path: Path) -> None:
    augment = {"flip": True, "crop": "random", "variations": 3}
    plan = plan_training(recipe(images, dataset={"augment": augment}), base)

    material, told = gathered(plan, tmp_path / "cache")

    for step in range(60):
        for item in range(3):
            view = material.view(item, seed=1, step=step, place=0)
            width, height = view.placement.bucket
            assert material.latents[view].mean.shape == (4, height // 8, width // 8)
    assert len(told) == 1


def renamed(images: Path) -> Recipe:
    for path in sorted(images.iterdir()):
        path.rename(path.with_stem(f"new-{path.stem}"))
    return recipe(images)


def recaptioned(images: Path) -> Recipe:
    (images / "0.txt").write_text("another caption")
    return recipe(images)


def elsewhere(images: Path) -> Recipe:
    return recipe(shutil.copytree(images, images.parent / "copy"))


@pytest.mark.parametrize("change", [recipe, renamed, recaptioned, elsewhere])
def test_what_decides_no_latent_leaves_them_found(base: Catalog, images: Path, tmp_path: Path, change: Any) -> None:
    assert found_latents(recipe(images), base, tmp_path / "cache") == "latents: 0 from the cache, 3 computed"

    assert found_latents(change(images), base, tmp_path / "cache") == "latents: 3 from the cache, 0 computed"


def with_an_edited_pixel(images: Path) -> Recipe:
    with Image.open(images / "0.png") as image:
        image.putpixel((5, 5), (1, 2, 3))
        image.save(images / "0.png")
    return recipe(images)


def mirrored(images: Path) -> Recipe:
    return recipe(images, dataset={"augment": {"flip": True}})


def larger(images: Path) -> Recipe:
    return recipe(images, dataset={"resolution": 72})


def with_another_vae(images: Path) -> Recipe:
    return recipe(images, vae="other")


@pytest.mark.parametrize(
    ("change", "hits", "computed"),
    [(with_an_edited_pixel, 2, 1), (mirrored, 3, 3), (larger, 0, 3), (with_another_vae, 0, 3)],
)
def test_what_decides_a_latent_has_it_computed_anew(
    base: Catalog, images: Path, tmp_path: Path, change: Any, hits: int, computed: int
) -> None:
    base.add(tiny.write_vae(tmp_path / "other.safetensors", seed=1), name="other")
    found_latents(recipe(images), base, tmp_path / "cache")

    told = found_latents(change(images), base, tmp_path / "cache")

    assert told == f"latents: {hits} from the cache, {computed} computed"


def test_the_checkpoints_own_vae_in_a_file_of_its_own_has_the_same_latents(
    base: Catalog, images: Path, tmp_path: Path
) -> None:
    base.add(tiny.write_vae(tmp_path / "own.safetensors"), name="own")
    found_latents(recipe(images), base, tmp_path / "cache")

    told = found_latents(recipe(images, vae="own"), base, tmp_path / "cache")

    assert told == "latents: 3 from the cache, 0 computed"


def test_masks_are_gathered_and_an_edited_one_is_made_anew(base: Catalog, images: Path, tmp_path: Path) -> None:
    masks = tmp_path / "masks"
    masks.mkdir()
    Image.new("L", (96, 64), 255).save(masks / "1.png")
    wanted = recipe(images, dataset={"masks": masks, "captions": {"dropout": 0.0}})
    first, told = gathered(plan_training(wanted, base), tmp_path / "cache")
    Image.new("L", (96, 64), 51).save(masks / "1.png")

    second, told_then = gathered(plan_training(wanted, base), tmp_path / "cache")

    assert told[1:] == told_then[1:] == ["masks: 0 from the cache, 1 computed"]
    assert told_then[0] == "latents: 3 from the cache, 0 computed"
    (one,), (other,) = (list(found.masks.values()) for found in (first, second))
    assert one.unique().tolist() == [1]
    assert other.unique().tolist() == pytest.approx([0.2])


def test_captions_that_are_always_the_same_let_the_text_encoders_go(
    base: Catalog, images: Path, tmp_path: Path
) -> None:
    plan = plan_training(recipe(images, trigger="kip", dataset={"captions": {"dropout": 0.5}}), base)

    texts, told = texts_of(plan, tmp_path / "texts")

    assert told == ["captions: 0 from the cache, 4 computed"]
    assert not texts.has_encoders
    texts.encode(["", "kip, ramp 1, blue"])
    assert texts_of(plan, tmp_path / "texts")[1] == ["captions: 4 from the cache, 0 computed"]


def test_captions_that_vary_keep_the_text_encoders(base: Catalog, images: Path) -> None:
    plan = plan_training(recipe(images, dataset={"captions": {"shuffle": True}}), base)

    texts, _ = texts_of(plan)

    assert texts.has_encoders
    texts.encode(["blue, ramp 1"])


def test_text_encoders_that_learn_are_kept(base: Catalog, images: Path) -> None:
    texts, told = texts_of(plan_training(recipe(images), base), learns=True)

    assert texts.has_encoders
    assert told == []


def test_captions_that_are_cut_off_are_named(base: Catalog, images: Path) -> None:
    for name in ("0", "2"):
        (images / f"{name}.txt").write_text("word " * 80)
    plan = plan_training(recipe(images, dataset={"captions": {"tokens": 75}}), base)

    _, told = texts_of(plan)

    assert told[0] == "captions of more than 75 tokens are cut off there: 0.png and 1 more"


def test_a_subset_that_wants_its_captions_read_otherwise_is_told_that_they_are_not(base: Catalog, images: Path) -> None:
    subset = {"images": images, "captions": {"tokens": 75, "weights": True}}
    dataset = {"images": None, "subsets": [subset], "captions": {"weights": True}}

    _, told = texts_of(plan_training(recipe(images, dataset=dataset), base))

    assert told == ["all captions are read alike: dataset.captions.tokens counts, and no subset's"]


def made_ready_for(catalog: Catalog, images: Path, folder: Path, family: str, **entries: Any) -> Ready:
    catalog.add(FAMILIES[family](folder / "base.safetensors"), name=family)
    job = made_ready(plan_training(recipe(images, family, **entries), catalog), folder / "cache", Engine("cpu"))
    try:
        while True:
            next(job)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]


@pytest.mark.parametrize("rate", [0.0, 1e-3])
@pytest.mark.parametrize("family", FAMILIES)
def test_all_three_families_are_trained(
    catalog: Catalog, images: Path, tmp_path: Path, family: str, rate: float
) -> None:
    ready = made_ready_for(catalog, images, tmp_path, family, text_encoder_learning_rate=rate)

    losses = [step.loss for step in ready.trainer.steps() if isinstance(step, Step)]

    assert len(losses) == 3
    assert ready.texts.has_encoders == (rate > 0)
    assert set(ready.models) & {UNET, VAE} == {UNET}
    assert (len(ready.models) > 1) == (rate > 0)
    ready.trainee.detach()


def test_the_answer_of_sdxl_hangs_on_the_sizes_that_it_is_told(catalog: Catalog, images: Path, tmp_path: Path) -> None:
    ready = made_ready_for(catalog, images, tmp_path, "sdxl")
    material = ready.material
    view = material.view(1, seed=0, step=0, place=0)
    assert material.sizes(view) == (64, 96, 2, 0, 48, 80)
    latents = material.latents[view].mean[None]

    def loss(*sizes: float) -> float:
        batch = Batch(
            latents, torch.ones_like(latents), torch.tensor([500]), ["ramp 1, blue"], sizes=torch.tensor([sizes])
        )
        return float(ready.trainer.forward(batch).detach())

    assert loss(64, 96, 2, 0, 48, 80) == loss(64, 96, 2, 0, 48, 80)
    assert len({loss(64, 96, 2, 0, 48, 80), loss(96, 96, 2, 0, 48, 80), loss(64, 96, 0, 0, 48, 80)}) == 3
    ready.trainee.detach()
