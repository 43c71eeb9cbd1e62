"""A step's samples are what seed, step and place make of them, however the step is cut."""

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from modelhub.families import family
from trainers.caches import CachedLatents
from trainers.dataset import Sample
from trainers.framing.buckets import Placement
from trainers.framing.views import Item, View
from trainers.learning.batch import Batch, Batches, Piece
from trainers.material.material import Material
from trainers.objective import Timesteps
from trainers.recipe import CaptionOptions, DatasetOptions, NoiseOptions, Recipe, SubsetOptions

PLACE = Placement((64, 64), (64, 64), (0, 0))


def material(*, weights: Sequence[float] = (1, 1, 1), priors: Sequence[bool] = (), sizes: bool = False) -> Material:
    subset = SubsetOptions(images=Path("x"), captions=CaptionOptions(shuffle=True))
    samples = [Sample(Path(f"{i}.png"), f"{i}, red, blue, wide", (64, 64), str(i), "x", subset) for i in range(3)]
    priors = priors or (False,) * 3
    items = [Item(i, PLACE, 1, weight, prior) for i, (weight, prior) in enumerate(zip(weights, priors, strict=True))]
    latents = {View(i, PLACE): CachedLatents(torch.full((4, 8, 8), float(i)), torch.ones(4, 8, 8)) for i in range(3)}
    return Material(samples, items, latents, family("sd1").latent, tells_sizes=sizes)


def batches(shown: Material | None = None, **entries: Any) -> Batches:
    recipe = Recipe(base="x", name="kip", dataset=DatasetOptions(images=Path("x")), trigger="kip", **entries)
    timesteps = Timesteps(recipe.noise, 1000)
    return Batches(shown or material(), recipe, timesteps, lambda caption, chance: caption, torch.device("cpu"))


def piece(*items: int, place: int = 0, step: int = 5) -> Piece:
    return Piece(items, epoch=0, step=step, place=place)


def rows(batch: Batch) -> list[tuple[list[Tensor], str]]:
    tensors = [one for one in (batch.latents, batch.noise, batch.timesteps, batch.given) if one is not None]
    return [([one[index] for one in tensors], caption) for index, caption in enumerate(batch.captions)]


def alike(ours: list[tuple[list[Tensor], str]], theirs: list[tuple[list[Tensor], str]]) -> bool:
    return len(ours) == len(theirs) and all(
        one[1] == two[1] and all(torch.equal(a, b) for a, b in zip(one[0], two[0], strict=True))
        for one, two in zip(ours, theirs, strict=True)
    )


def test_a_step_that_is_cut_is_the_same_step() -> None:
    make = batches(noise=NoiseOptions(offset=0.1, multires_iterations=3, perturbation=0.1))

    whole = rows(make(piece(0, 1, 2)))

    assert alike(whole, [*rows(make(piece(0))), *rows(make(piece(1, 2, place=1)))])


@pytest.mark.parametrize("other", [piece(0, step=6), piece(0, place=1)], ids=["step", "place"])
def test_each_step_and_place_has_its_own_chance(other: Piece) -> None:
    make = batches()
    ours, theirs = make(piece(0)), make(other)

    assert not torch.equal(ours.latents, theirs.latents)
    assert not torch.equal(ours.noise, theirs.noise)


def test_latents_are_scaled_for_the_denoiser() -> None:
    shown = material()
    still = {view: CachedLatents(one.mean, torch.zeros(4, 8, 8)) for view, one in shown.latents.items()}

    made = batches(replace(shown, latents=still))(piece(2))

    assert torch.allclose(made.latents, torch.tensor(2 * 0.18215))


def test_captions_are_said_as_their_subset_asks_and_as_the_method_puts_them() -> None:
    make = replace(batches(), phrase=lambda caption, chance: f"<{caption}>")

    (told,) = make(piece(1)).captions

    assert told.startswith("<kip, ")
    assert sorted(told.strip("<>").split(", ")) == ["1", "blue", "kip", "red", "wide"]


def test_a_methods_dice_are_its_own() -> None:
    rolled: list[float] = []

    def phrase(caption: str, chance: random.Random) -> str:
        rolled.append(chance.random())
        return caption

    make = replace(batches(), phrase=phrase)
    make(piece(0, 1))
    make(piece(0, 1))

    assert rolled[:2] == rolled[2:]
    assert rolled[0] != rolled[1]


def test_the_noise_that_goes_in_is_another_only_where_the_input_is_perturbed() -> None:
    assert batches()(piece(0)).given is None
    perturbed = batches(noise=NoiseOptions(perturbation=0.5))(piece(0))
    assert perturbed.given is not None
    assert not torch.equal(perturbed.given, perturbed.noise)


def test_samples_without_a_mask_beside_one_with_it_have_one_that_leaves_nothing_out() -> None:
    half = torch.cat([torch.ones(1, 4, 8), torch.zeros(1, 4, 8)], dim=1)

    made = batches(replace(material(), masks={View(1, PLACE): half}))

    assert made(piece(0)).masks is None
    masks = made(piece(0, 1)).masks
    assert masks is not None
    assert torch.equal(masks, torch.stack([torch.ones(1, 8, 8), half]))


def test_weights_and_sizes_are_the_items_own() -> None:
    made = batches(material(weights=(1, 0.5, 2), sizes=True))(piece(1, 2))

    assert made.weights is not None
    assert made.weights.tolist() == [0.5, 2]
    assert made.sizes is not None
    assert made.sizes.tolist() == [[64, 64, 0, 0, 64, 64]] * 2


def test_class_pictures_are_told_apart_only_where_the_base_answers_for_them() -> None:
    shown = material(priors=(False, True, False))

    assert batches(shown)(piece(0, 1)).prior is None
    frozen = batches(shown, prior={"frozen": True})
    assert frozen(piece(0)).prior is None
    prior = frozen(piece(0, 1)).prior
    assert prior is not None
    assert prior.tolist() == [False, True]
