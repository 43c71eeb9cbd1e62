"""Every other method than LoRA in the one loop: it learns, resumes exactly, and keeps what it knew of a class."""

import importlib
import random
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from inference.weights.parts import UNET, Part
from modelhub.families import family
from tests.trainers.bases import CPU, Models, loaded, planned
from trainers.caches import CachedLatents
from trainers.dataset import Sample
from trainers.framing.buckets import Placement
from trainers.framing.views import Item, View
from trainers.learning.batch import Batch, Batches, Piece
from trainers.learning.loop import Trainer
from trainers.material.material import Material
from trainers.material.texts import Texts
from trainers.methods import Trainee
from trainers.objective import Objective, Timesteps
from trainers.recipe import DatasetOptions, Recipe, SubsetOptions

METHODS: dict[str, dict[str, Any]] = {
    "textual_inversion": {"options": {"learning_rate": 0.05, "keep_norm": False}},
    "full": {"learning_rate": 1e-3, "text_encoder_learning_rate": 1e-3},
    "hypernetwork": {"learning_rate": 0.02, "options": {"dropout": 0.2}},
}


def recipe(method: str, **entries: Any) -> Recipe:
    usual = {"steps": 6, "batch": 1, "loss": {"min_snr_gamma": 0}, "optimizer": {"schedule": "constant", "warmup": 0}}
    dataset = DatasetOptions(images=Path("x"))
    return Recipe(base="x", name="kip", method=method, dataset=dataset, **{**usual, **METHODS[method], **entries})


def material(*, prior: bool = False) -> Material:
    """Two pictures of constant latents; with `prior`, the second is one of the class."""
    subset = SubsetOptions(images=Path("x"))
    samples = [Sample(Path(f"{one}.png"), "a dog", (64, 64), str(one), "x", subset) for one in range(2)]
    place = Placement((64, 64), (64, 64), (0, 0))
    items = [Item(one, place, 1.0, prior=prior and one == 1) for one in range(2)]
    latents = {
        View(one, place): CachedLatents(torch.full((4, 8, 8), one + 0.5), torch.zeros(4, 8, 8)) for one in (0, 1)
    }
    return Material(samples, items, latents, family("sd1").latent)


def made(
    parts: Mapping[str, Part], wanted: Recipe, learns_from: Material | None = None
) -> tuple[Trainer, Trainee, Models]:
    models, plan = loaded(parts), planned(parts)
    trainee: Trainee = importlib.import_module(f"trainers.methods.{wanted.method}").prepare(models, plan, wanted)
    texts = Texts(plan, models, trainee.words, clip_skip=1, learns=trainee.trains_text_encoder)
    objective = Objective("epsilon", torch.tensor(plan.table.sigmas), wanted.loss)
    trains = Trainer(
        models=models, texts=texts, trainee=trainee, material=learns_from or material(), objective=objective,
        recipe=wanted, device=CPU,
    )  # fmt: skip
    return trains, trainee, models


def weights(trainee: Trainee) -> dict[str, Tensor]:
    return {name: one.detach().clone() for name, one in trainee.module.named_parameters()}


def batch(*, prior: bool) -> Batch:
    noise = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    return Batch(
        torch.ones(1, 4, 8, 8), noise, torch.tensor([500]), ["a kip"], prior=torch.tensor([True]) if prior else None
    )


@pytest.mark.parametrize("method", METHODS)
def test_what_it_teaches_lessens_the_loss(parts: Mapping[str, Part], method: str) -> None:
    trainer, _, _ = made(parts, recipe(method, steps=15))
    before = trainer.forward(batch(prior=False)).item()

    for _ in trainer.steps():
        pass

    assert trainer.forward(batch(prior=False)).item() < before


@pytest.mark.parametrize("method", METHODS)
def test_checkpointing_changes_nothing_of_what_it_learns(parts: Mapping[str, Part], method: str) -> None:
    plain, expected, _ = made(parts, recipe(method, steps=2))
    spared, trainee, _ = made(parts, recipe(method, steps=2, compute={"checkpointing": True}))

    list(plain.steps())
    list(spared.steps())

    theirs = weights(expected)
    assert all(torch.allclose(one, theirs[name], rtol=1e-5, atol=1e-6) for name, one in weights(trainee).items())


@pytest.mark.parametrize("method", METHODS)
def test_resumed_it_ends_in_the_very_weights(parts: Mapping[str, Part], method: str) -> None:
    whole, expected, _ = made(parts, recipe(method, steps=4))
    list(whole.steps())
    first, _, _ = made(parts, recipe(method, steps=4))
    list(islice(first.steps(), 2))
    state = first.state()

    second, trainee, _ = made(parts, recipe(method, steps=4))
    second.load_state(state)
    list(second.steps())

    ours, theirs = weights(trainee), weights(expected)
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(one, theirs[name]) for name, one in ours.items())


@pytest.mark.parametrize("method", ["full", "hypernetwork"])
def test_pictures_of_the_class_are_answered_as_the_base_answers_them(parts: Mapping[str, Part], method: str) -> None:
    trainer, trainee, models = made(parts, recipe(method, prior={"frozen": True}, text_encoder_learning_rate=0.0))
    plan = planned(parts)
    text = Texts(plan, models, {}, clip_skip=1, learns=False).encode(["a kip"]).tokens
    with torch.no_grad():
        for parameter in trainee.module.parameters():
            parameter.mul_(1.1)

    def answer() -> Tensor:
        """As the objective asks: noised to the level of step 500."""
        one, kept = batch(prior=False), 1 / (plan.table.sigmas[500] ** 2 + 1)
        noised = kept**0.5 * one.latents + (1 - kept) ** 0.5 * one.noise
        found: Tensor = models[UNET](noised, one.timesteps, text, return_dict=False)[0]
        return found

    loss = trainer.forward(batch(prior=True))

    learned = answer()
    with trainee.at_rest():
        base = answer()
    torch.testing.assert_close(loss, (learned - base).square().mean()[None], rtol=1e-4, atol=1e-7)
    assert loss.item() > 0
    loss.sum().backward()
    assert all(one.grad is not None for group in trainee.groups() for one in group.parameters)


def test_before_it_learned_pictures_of_the_class_cost_nothing(parts: Mapping[str, Part]) -> None:
    trainer, _, _ = made(parts, recipe("full", prior={"frozen": True}))

    assert trainer.forward(batch(prior=True)).item() == pytest.approx(0, abs=1e-10)


def test_pictures_of_the_class_are_not_said_to_show_the_new_word() -> None:
    def phrase(caption: str, chance: random.Random) -> str:
        return f"kip, {caption}"

    wanted = recipe("full")
    batches = Batches(material(prior=True), wanted, Timesteps(wanted.noise, 1000), phrase, CPU)

    captions = batches(Piece([0, 1], epoch=0, step=0, place=0)).captions

    assert list(captions) == ["kip, a dog", "a dog"]
