"""The loop learns, follows its recipe, and a resumed training is the same training."""

import math
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.optim.optimizer import register_optimizer_step_post_hook

from inference.schedules import SigmaTable
from inference.weights.load import load_part
from inference.weights.single_file import Part
from modelhub.errors import ModelHubError
from modelhub.families import family
from trainers.caches import CachedLatents
from trainers.loop import Material, Trainer, learning_rate
from trainers.methods.lora import Lora, prepare
from trainers.objective import Objective
from trainers.recipe import DatasetOptions, LoraOptions, Recipe
from trainers.runs import RunFolder

CPU = torch.device("cpu")
STILL = 1e-30
"""A learning rate at which nothing moves, so that steps can be compared."""


def recipe(**entries: Any) -> Recipe:
    """Six steps over three pictures, so that the second half is another epoch."""
    dataset = DatasetOptions(images=Path("x"), **entries.pop("dataset", {}))
    usual = {"steps": 6, "batch": 1, "learning_rate": 1e-2, "text_encoder_learning_rate": 1e-2, "min_snr_gamma": 0}
    return Recipe(
        **{"base": "x", "name": "kip", "dataset": dataset, "options": LoraOptions(rank=2), **usual, **entries}
    )


def latents(seed: int, size: tuple[int, int] = (8, 8)) -> CachedLatents:
    generator = torch.Generator().manual_seed(seed)
    mean = torch.randn(4, *size, generator=generator)
    return CachedLatents(mean, torch.full_like(mean, 0.1))


def material(*, mirrored: bool = False, captions: tuple[str, ...] = ("red", "blue", "a, " * 40)) -> Material:
    """Three pictures, the last in a bucket of its own; mirror images are other pictures, or the same."""
    sizes = [(8, 8), (8, 8), (8, 16)]
    found = {
        (index, flip): latents(9 + index if flip and mirrored else index, size)
        for index, size in enumerate(sizes)
        for flip in (False, True)
    }
    return Material(
        latents=found,
        captions=captions,
        buckets=[(64, 64), (64, 64), (128, 64)],
        order=[0, 1, 2],
        latent_scale=0.18215,
    )  # fmt: skip


def trainer(parts: Mapping[str, Part], wanted: Recipe, learns_from: Material | None = None) -> tuple[Trainer, Lora]:
    models: dict[str, nn.Module] = {
        role: load_part(part, device=CPU, dtype=torch.float32) for role, part in parts.items()
    }
    lora = prepare(models, parts, wanted)
    sigmas = torch.tensor(SigmaTable(family("sd1").noise).sigmas)
    objective = Objective("epsilon", sigmas, wanted.min_snr_gamma or None)
    return Trainer(models, lora, learns_from or material(), objective, wanted, CPU), lora


def losses(parts: Mapping[str, Part], wanted: Recipe, learns_from: Material | None = None) -> list[float]:
    return [step.loss for step in trainer(parts, wanted, learns_from)[0].steps()]


def parameters(lora: Lora) -> dict[str, Tensor]:
    return {name: one.detach().clone() for name, one in lora.module.named_parameters()}


def same(ours: dict[str, Tensor], theirs: dict[str, Tensor]) -> bool:
    return ours.keys() == theirs.keys() and all(torch.equal(one, theirs[name]) for name, one in ours.items())


def test_the_loss_falls(parts: Mapping[str, Part]) -> None:
    found = losses(parts, recipe(steps=40, batch=2, learning_rate=5e-2, schedule="constant"))

    assert sum(found[-10:]) < 0.9 * sum(found[:10])


def test_the_same_recipe_takes_the_same_steps(parts: Mapping[str, Part]) -> None:
    first, second = trainer(parts, recipe()), trainer(parts, recipe())

    assert list(first[0].steps()) == list(second[0].steps())
    assert same(parameters(first[1]), parameters(second[1]))


def test_another_seed_takes_other_steps(parts: Mapping[str, Part]) -> None:
    assert losses(parts, recipe(seed=1)) != losses(parts, recipe(seed=2))


@pytest.mark.parametrize("after", [2, 4])
def test_a_resumed_training_ends_in_the_very_parameters_of_an_uninterrupted_one(
    parts: Mapping[str, Part], tmp_path: Path, after: int
) -> None:
    wanted = recipe(dataset={"flip": True, "caption_dropout": 0.5})
    whole, expected = trainer(parts, wanted, material(mirrored=True))
    told = list(whole.steps())

    stopped, _ = trainer(parts, wanted, material(mirrored=True))
    first_half = list(islice(stopped.steps(), after))
    folder = RunFolder(tmp_path)
    folder.save_state(stopped.state(), recipe=wanted, dataset="d")
    resumed, lora = trainer(parts, wanted, material(mirrored=True))
    state = folder.load_state(recipe=wanted, dataset="d")
    assert state is not None
    resumed.load_state(state)

    assert resumed.step == after
    assert [*first_half, *resumed.steps()] == told
    assert same(parameters(lora), parameters(expected))


def test_both_parts_learn(parts: Mapping[str, Part]) -> None:
    work, lora = trainer(parts, recipe(steps=3))
    list(work.steps())

    ups = {name: one for name, one in parameters(lora).items() if name.endswith(".up")}
    assert all(one.any() for one in ups.values())
    assert {name.split("_")[1] for name in ups} == {"unet", "te"}


def test_at_rate_0_only_the_unet_learns(parts: Mapping[str, Part]) -> None:
    work, lora = trainer(parts, recipe(steps=2, text_encoder_learning_rate=0))
    list(work.steps())

    assert all(name.startswith("lora_unet_") for name in parameters(lora))


def test_encodings_kept_for_a_text_encoder_at_rest_are_those_that_one_would_compute(parts: Mapping[str, Part]) -> None:
    """The same losses with and without the short cut, long and short captions in one batch."""
    learns_from = material()
    learns_from = Material(
        {(index, False): latents(index) for index in range(3)}, learns_from.captions, [(64, 64)] * 3, [0, 1, 2], 0.18
    )
    common = {"learning_rate": STILL, "batch": 3, "steps": 3}

    kept = losses(parts, recipe(**common, text_encoder_learning_rate=0), learns_from)
    computed = losses(parts, recipe(**common, text_encoder_learning_rate=STILL), learns_from)

    assert kept == pytest.approx(computed, rel=1e-5)


def test_a_step_tells_loss_mean_and_rate(parts: Mapping[str, Part]) -> None:
    told = list(trainer(parts, recipe(steps=4, schedule="linear", warmup=0.5))[0].steps())

    assert [(step.step, step.total) for step in told] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert [step.learning_rate for step in told] == pytest.approx([5e-3, 1e-2, 1e-2, 5e-3])
    assert told[0].smoothed == pytest.approx(told[0].loss)
    weighted = [0.95 * told[0].loss, told[1].loss]
    assert told[1].smoothed == pytest.approx(sum(weighted) / 1.95)


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("constant", [0.5, 1, 1, 1, 1, 1]),
        ("linear", [0.5, 1, 1, 0.75, 0.5, 0.25]),
        ("cosine", [0.5, 1, 1, (1 + 0.5**0.5) / 2, 0.5, (1 - 0.5**0.5) / 2]),
    ],
)
def test_the_learning_rate_rises_and_then_takes_its_course(schedule: str, expected: list[float]) -> None:
    found = [learning_rate(step, 6, schedule=schedule, warmup=1 / 3) for step in range(6)]

    assert found == pytest.approx(expected)


def test_a_warm_up_of_everything_only_rises() -> None:
    assert [learning_rate(step, 4, schedule="cosine", warmup=1.0) for step in range(4)] == [0.25, 0.5, 0.75, 1.0]


def test_a_course_without_warm_up_begins_in_full() -> None:
    assert learning_rate(0, 4, schedule="linear", warmup=0.0) == 1.0


def gradient_norm(parts: Mapping[str, Part], wanted: Recipe) -> float:
    work, lora = trainer(parts, wanted)
    next(work.steps())
    return math.hypot(*(one.grad.norm().item() for one in lora.module.parameters() if one.grad is not None))


def test_gradients_are_clipped_over_all_parameters_together(parts: Mapping[str, Part]) -> None:
    free = gradient_norm(parts, recipe(max_grad_norm=1e6))
    bound = free / 10

    assert gradient_norm(parts, recipe(max_grad_norm=bound)) == pytest.approx(bound, rel=1e-3)


def test_gradients_below_the_bound_stay_as_they_are(parts: Mapping[str, Part]) -> None:
    free = gradient_norm(parts, recipe(max_grad_norm=1e6))

    assert gradient_norm(parts, recipe(max_grad_norm=2 * free)) == free


@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_captions_are_all_kept_or_all_left_out_at_the_ends_of_dropout(parts: Mapping[str, Part], rate: float) -> None:
    told = losses(parts, recipe(learning_rate=STILL, text_encoder_learning_rate=0, dataset={"caption_dropout": rate}))
    plain = recipe(learning_rate=STILL, text_encoder_learning_rate=0)

    assert told == losses(parts, plain, None if rate == 0 else material(captions=("", "", "")))
    assert told != losses(parts, plain, None if rate == 1 else material(captions=("", "", "")))


def test_dropout_and_flip_are_thrown_anew_for_each_step_by_the_seed(parts: Mapping[str, Part]) -> None:
    """At rest, a step's loss tells which of the four pictures it was."""
    still = {"learning_rate": STILL, "text_encoder_learning_rate": 0, "steps": 16}
    seen = {}
    for flip in (False, True):
        flipped = material(mirrored=True)
        plain = Material(
            {(index, False): flipped.latents[index, flip] for index in range(3)},
            flipped.captions, flipped.buckets, flipped.order, flipped.latent_scale,
        )  # fmt: skip
        for caption in (True, False):
            dataset = {"caption_dropout": 0.0 if caption else 1.0}
            seen[flip, caption] = losses(parts, recipe(**still, dataset=dataset), plain)
    wanted = recipe(**still, dataset={"flip": True, "caption_dropout": 0.5})

    told = losses(parts, wanted, material(mirrored=True))

    kinds = [[kind for kind in seen if seen[kind][step] == one] for step, one in enumerate(told)]
    assert all(len(found) == 1 for found in kinds)
    assert {found[0] for found in kinds} == set(seen)
    assert losses(parts, wanted, material(mirrored=True)) == told


def test_noise_offset_changes_the_noise(parts: Mapping[str, Part]) -> None:
    assert losses(parts, recipe(noise_offset=0.1))[0] != losses(parts, recipe())[0]


def test_repeats_make_an_epoch_longer(parts: Mapping[str, Part]) -> None:
    """With the second picture four times, an epoch of five batches sees it four times."""
    base = material()
    seen: list[int] = []

    class Watched(dict[tuple[int, bool], CachedLatents]):
        def __getitem__(self, key: tuple[int, bool]) -> CachedLatents:
            seen.append(key[0])
            return super().__getitem__(key)

    repeated = Material(Watched(base.latents), base.captions, base.buckets, [0, 1, 1, 1, 1], base.latent_scale)
    losses(parts, recipe(steps=5), repeated)

    assert sorted(seen) == [0, 1, 1, 1, 1]


def test_a_loss_that_is_no_number_stops_before_it_harms_the_parameters(parts: Mapping[str, Part]) -> None:
    broken = material()
    nothing = CachedLatents(torch.full((4, 8, 8), torch.nan), torch.zeros(4, 8, 8))
    learns_from = Material(
        {**broken.latents, (1, False): nothing}, broken.captions, broken.buckets, [0, 1], broken.latent_scale
    )
    work, lora = trainer(parts, recipe(), learns_from)
    kept = parameters(lora)

    def take_all_steps() -> None:
        nonlocal kept
        for _ in work.steps():
            kept = parameters(lora)

    with pytest.raises(ModelHubError, match=r"the loss became nan at step \d") as caught:
        take_all_steps()

    assert caught.value.mend == "train again with a lower learning rate than 0.01"
    assert not work.can_go_on
    assert same(parameters(lora), kept)
    assert all(one.isfinite().all() for one in parameters(lora).values())


def test_a_process_stopped_within_an_update_knows_that_its_state_is_torn(parts: Mapping[str, Part]) -> None:
    work, _ = trainer(parts, recipe())

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    handle = register_optimizer_step_post_hook(stop)
    try:
        with pytest.raises(KeyboardInterrupt):
            next(work.steps())
    finally:
        handle.remove()

    assert not work.can_go_on
