"""The loop learns, follows its recipe, and a resumed training is the same training."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.optim.optimizer import register_optimizer_step_post_hook
from torch.utils._python_dispatch import TorchDispatchMode

from inference.weights.single_file import Part
from modelhub.errors import ModelHubError
from modelhub.families import family
from modelhub.jobs import Notice, Step
from tests.trainers.bases import CPU, loaded, planned
from tests.trainers.pictures import Size
from trainers.caches import CachedLatents
from trainers.dataset import Sample
from trainers.framing.buckets import Placement
from trainers.framing.views import Item, View
from trainers.learning.loop import Trainer
from trainers.learning.order import remaining
from trainers.learning.tally import Tally
from trainers.material.material import Material
from trainers.material.texts import Texts
from trainers.methods.lora import Lora, prepare
from trainers.objective import Objective
from trainers.optimizers import KINDS
from trainers.recipe import AugmentOptions, CaptionOptions, DatasetOptions, LoraOptions, Recipe, SubsetOptions
from trainers.running.runs import RunFolder
from trainers.running.states import read_state, write_state

STILL = 1e-12
"""A learning rate at which nothing moves, so that steps can be compared."""


def recipe(**entries: Any) -> Recipe:
    """Six steps over three pictures, so that the second half is another epoch."""
    dataset = DatasetOptions(images=Path("x"))
    usual: dict[str, Any] = {"steps": 6, "batch": 1, "learning_rate": 1e-2, "text_encoder_learning_rate": 1e-2}
    usual["loss"] = {"min_snr_gamma": 0}
    return Recipe(
        **{"base": "x", "name": "kip", "dataset": dataset, "options": LoraOptions(rank=2), **usual, **entries}
    )


def latents(seed: int, size: tuple[int, int] = (8, 8)) -> CachedLatents:
    generator = torch.Generator().manual_seed(seed)
    mean = torch.randn(4, *size, generator=generator)
    return CachedLatents(mean, torch.full_like(mean, 0.1))


CAPTIONS = ("red", "blue", "a, " * 40)
SIZES = ((64, 64), (64, 64), (64, 128))
"""Of three pictures; the last is in a bucket of its own."""


def material(
    captions: Sequence[str] = CAPTIONS, *, sizes: Sequence[Size] = SIZES, flip: bool = False, mirrored: bool = False,
    dropout: float = 0.0, repeats: Sequence[float] = (1, 1, 1),
) -> Material:  # fmt: skip
    """Pictures; mirror images are other pictures, or the same."""
    subsets = [
        SubsetOptions(
            images=Path("x"),
            repeats=one,
            augment=AugmentOptions(flip=flip),
            captions=CaptionOptions(dropout=dropout),
        )
        for one in repeats
    ]
    samples = [
        Sample(Path(f"{index}.png"), caption, size, str(index), "x", subset)
        for index, (caption, size, subset) in enumerate(zip(captions, sizes, subsets, strict=True))
    ]
    items = [Item(index, Placement(one.size, one.size, (0, 0)), one.repeats) for index, one in enumerate(samples)]
    found = {
        View(index, item.placement, flipped): latents(
            9 + index if flipped and mirrored else index, (sizes[index][1] // 8, sizes[index][0] // 8)
        )
        for index, item in enumerate(items)
        for flipped in (False, True)
    }
    return Material(samples, items, found, family("sd1").latent)


def trainer(
    parts: Mapping[str, Part], wanted: Recipe, learns_from: Material | None = None, *, read_every: int | None = None
) -> tuple[Trainer, Lora]:
    models, plan = loaded(parts), planned(parts)
    lora = prepare(models, plan, wanted)
    objective = Objective("epsilon", torch.tensor(plan.table.sigmas), wanted.loss)
    texts = Texts(plan, models, lora.words, clip_skip=1, learns=lora.trains_text_encoder)
    trains = Trainer(
        models=models, texts=texts, trainee=lora, material=learns_from or material(), objective=objective,
        recipe=wanted, device=CPU, read_every=read_every,
    )  # fmt: skip
    return trains, lora


def losses(parts: Mapping[str, Part], wanted: Recipe, learns_from: Material | None = None) -> list[float]:
    return [step.loss for step in trainer(parts, wanted, learns_from)[0].steps() if isinstance(step, Step)]


def parameters(lora: Lora) -> dict[str, Tensor]:
    return {name: one.detach().clone() for name, one in lora.module.named_parameters()}


def same(ours: dict[str, Tensor], theirs: dict[str, Tensor]) -> bool:
    return ours.keys() == theirs.keys() and all(torch.equal(one, theirs[name]) for name, one in ours.items())


def test_the_loss_falls(parts: Mapping[str, Part]) -> None:
    found = losses(parts, recipe(steps=60, batch=2, learning_rate=5e-2, optimizer={"schedule": "constant"}))

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
    wanted, shown = recipe(), material(flip=True, mirrored=True, dropout=0.5)
    whole, expected = trainer(parts, wanted, shown)
    told = list(whole.steps())

    stopped, _ = trainer(parts, wanted, shown)
    first_half = list(islice(stopped.steps(), after))
    folder = RunFolder(tmp_path)
    write_state(folder, stopped.state(), recipe=wanted, dataset="d")
    resumed, lora = trainer(parts, wanted, shown)
    state = read_state(folder, recipe=wanted, dataset="d")
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
    learns_from = material(sizes=[(64, 64)] * 3)
    common = {"learning_rate": STILL, "batch": 3, "steps": 3}

    kept = losses(parts, recipe(**common, text_encoder_learning_rate=0), learns_from)
    computed = losses(parts, recipe(**common, text_encoder_learning_rate=STILL), learns_from)

    assert kept == pytest.approx(computed, rel=1e-5)


def test_a_step_tells_loss_mean_and_rate(parts: Mapping[str, Part]) -> None:
    told = list(trainer(parts, recipe(steps=4, optimizer={"schedule": "linear", "warmup": 0.5}))[0].steps())

    assert [(step.step, step.total) for step in told] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert [step.learning_rate for step in told] == pytest.approx([5e-3, 1e-2, 1e-2, 5e-3])
    assert told[0].smoothed == pytest.approx(told[0].loss)
    weighted = [0.95 * told[0].loss, told[1].loss]
    assert told[1].smoothed == pytest.approx(sum(weighted) / 1.95)


def gradient_norm(parts: Mapping[str, Part], wanted: Recipe) -> float:
    work, lora = trainer(parts, wanted)
    next(work.steps())
    return math.hypot(*(one.grad.norm().item() for one in lora.module.parameters() if one.grad is not None))


def test_gradients_are_clipped_over_all_parameters_together(parts: Mapping[str, Part]) -> None:
    free = gradient_norm(parts, recipe(optimizer={"max_grad_norm": 1e6}))
    bound = free / 10

    assert gradient_norm(parts, recipe(optimizer={"max_grad_norm": bound})) == pytest.approx(bound, rel=1e-3)


def test_gradients_below_the_bound_stay_as_they_are(parts: Mapping[str, Part]) -> None:
    free = gradient_norm(parts, recipe(optimizer={"max_grad_norm": 1e6}))

    assert gradient_norm(parts, recipe(optimizer={"max_grad_norm": 2 * free})) == free


@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_captions_are_all_kept_or_all_left_out_at_the_ends_of_dropout(parts: Mapping[str, Part], rate: float) -> None:
    plain = recipe(learning_rate=STILL, text_encoder_learning_rate=0)
    told = losses(parts, plain, material(dropout=rate))

    assert told == losses(parts, plain, None if rate == 0 else material(("", "", "")))
    assert told != losses(parts, plain, None if rate == 1 else material(("", "", "")))


def test_dropout_and_flip_are_thrown_anew_for_each_step_by_the_seed(parts: Mapping[str, Part]) -> None:
    """At rest, a step's loss tells which of the four pictures it was."""
    still = recipe(learning_rate=STILL, text_encoder_learning_rate=0, steps=16)
    shown = material(mirrored=True)
    turned = {view: shown.latents[replace(view, mirrored=not view.mirrored)] for view in shown.latents}
    seen = {}
    for flip in (False, True):
        for caption in (True, False):
            plain = material(mirrored=True, dropout=0.0 if caption else 1.0)
            seen[flip, caption] = losses(parts, still, replace(plain, latents=turned) if flip else plain)
    wanted = material(flip=True, mirrored=True, dropout=0.5)

    told = losses(parts, still, wanted)

    kinds = [[kind for kind in seen if seen[kind][step] == one] for step, one in enumerate(told)]
    assert all(len(found) == 1 for found in kinds)
    assert {found[0] for found in kinds} == set(seen)
    assert losses(parts, still, wanted) == told


def test_noise_offset_changes_the_noise(parts: Mapping[str, Part]) -> None:
    assert losses(parts, recipe(noise={"offset": 0.1}))[0] != losses(parts, recipe())[0]


def test_repeats_make_an_epoch_longer(parts: Mapping[str, Part]) -> None:
    """With the second picture 4 times and the third 1.5 times, two epochs of 6 and 7 batches see them so."""
    shown = material(repeats=(1, 4, 1.5))
    seen: list[int] = []

    class Watched(dict[View, CachedLatents]):
        def __getitem__(self, view: View) -> CachedLatents:
            seen.append(view.sample)
            return super().__getitem__(view)

    losses(parts, recipe(steps=13), replace(shown, latents=Watched(shown.latents)))

    assert sorted(seen[:6]) == [0, 1, 1, 1, 1, 2]
    assert sorted(seen[6:]) == [0, 1, 1, 1, 1, 2, 2]


def test_the_same_step_comes_of_whatever_is_computed_at_once(parts: Mapping[str, Part]) -> None:
    shown = material(flip=True, mirrored=True, sizes=[(64, 64)] * 3)
    together = {"steps": 3, "batch": 3, "learning_rate": 1e-3, "text_encoder_learning_rate": 1e-3}

    expected = losses(parts, recipe(**together), shown)

    for at_once in (1, 2):
        apart = recipe(**together, compute={"micro_batch": at_once})
        assert losses(parts, apart, shown) == pytest.approx(expected, rel=1e-5)


def test_gradient_checkpointing_changes_nothing(parts: Mapping[str, Part]) -> None:
    plain, lora = trainer(parts, recipe(steps=2))
    spared, other = trainer(parts, recipe(steps=2, compute={"checkpointing": True}))

    told = list(plain.steps())

    assert [one.loss for one in spared.steps() if isinstance(one, Step)] == pytest.approx(
        [one.loss for one in told if isinstance(one, Step)], rel=1e-6
    )
    theirs = parameters(other)
    assert all(torch.allclose(one, theirs[name], rtol=1e-5, atol=1e-6) for name, one in parameters(lora).items())


HOLDS_STATE: list[dict[str, Any]] = [
    *({"optimizer": {"name": name}, "learning_rate": 1e-3} for name in KINDS if "8bit" not in name),
    {"compute": {"ema": 0.9, "ema_every": 2}},
    {"compute": {"precision": "bf16"}},
    {"compute": {"precision": "fp16"}},
    {"compute": {"micro_batch": 1}, "batch": 2},
    {"optimizer": {"schedule": "rex", "warmup": 2, "floor": 0.1}},
    {"options": LoraOptions(rank=2, dropout=0.5)},
]


@pytest.mark.parametrize("entries", HOLDS_STATE, ids=str)
def test_a_resumed_training_is_the_same_whatever_it_keeps(
    parts: Mapping[str, Part], tmp_path: Path, entries: dict[str, Any]
) -> None:
    wanted = recipe(**{"steps": 4, **entries})
    whole, expected = trainer(parts, wanted)
    told = list(whole.steps())
    stopped, _ = trainer(parts, wanted)
    list(islice(stopped.steps(), 2))
    torch.save(stopped.state(), tmp_path / "state.pt")

    resumed, lora = trainer(parts, wanted)
    resumed.load_state(torch.load(tmp_path / "state.pt", weights_only=True))

    assert list(resumed.steps()) == told[2:]
    assert same(parameters(lora), parameters(expected))
    with whole.averaged(), resumed.averaged():
        assert same(parameters(lora), parameters(expected))


@pytest.mark.parametrize("entries", [{"compute": {"ema": 0.5}}, {"optimizer": {"name": "AdamWScheduleFree"}}], ids=str)
def test_what_is_written_is_the_mean_and_what_learns_comes_back_to_the_bit(
    parts: Mapping[str, Part], entries: dict[str, Any]
) -> None:
    work, lora = trainer(parts, recipe(**entries))
    list(islice(work.steps(), 4))
    before = parameters(lora)

    with work.averaged():
        mean = parameters(lora)
        assert not lora.module.training

    assert not same(mean, before)
    assert same(parameters(lora), before)
    assert lora.module.training


def test_without_a_mean_what_is_written_is_what_learns(parts: Mapping[str, Part]) -> None:
    work, lora = trainer(parts, recipe())
    before = parameters(lora)

    with work.averaged():
        assert same(parameters(lora), before)


class CountsWaits(TorchDispatchMode):
    """Counts the operators that hand a number to Python, for which a GPU is waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.count += func.overloadpacket in (torch.ops.aten._local_scalar_dense, torch.ops.aten.equal)
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("name", [name for name in KINDS if name in ("AdamW", "Lion", "Prodigy", "AdamWScheduleFree")])
def test_steps_wait_for_the_device_only_where_losses_are_looked_at(
    parts: Mapping[str, Part], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = []
    monkeypatch.setattr(Tally, "read", lambda tally, read=Tally.read: (reads.append(work.step), read(tally)))
    work, _ = trainer(parts, recipe(steps=10, optimizer={"name": name}), read_every=4)

    with CountsWaits() as waits:
        told = list(work.steps(lambda step: step == 5))

    assert [one.step for one in told if isinstance(one, Step)] == list(range(1, 11))
    assert set(reads) == {0, 4, 5, 8, 10}
    assert waits.count == 0


def test_steps_are_told_in_order_and_never_later_than_what_is_due(parts: Mapping[str, Part]) -> None:
    work, _ = trainer(parts, recipe(steps=7), read_every=100)

    seen = [(one.step, work.step) for one in work.steps(lambda step: step == 3) if isinstance(one, Step)]

    assert seen == [(1, 3), (2, 3), (3, 3), (4, 7), (5, 7), (6, 7), (7, 7)]


def test_steps_that_were_taken_and_not_told_are_told_after_a_stop(parts: Mapping[str, Part], tmp_path: Path) -> None:
    expected = list(trainer(parts, recipe())[0].steps())
    stopped, _ = trainer(parts, recipe(), read_every=4)
    first = list(islice(stopped.steps(lambda step: False), 2))
    torch.save(stopped.state(), tmp_path / "state.pt")

    resumed, _ = trainer(parts, recipe())
    resumed.load_state(torch.load(tmp_path / "state.pt", weights_only=True))

    assert resumed.step == 4
    assert [*first, *resumed.steps()] == expected


class Spoilt(dict[View, CachedLatents]):
    """Latents of which some looks find NaN."""

    def __init__(self, latents: Mapping[View, CachedLatents], looks: set[int]) -> None:
        super().__init__(latents)
        self.looks, self.count = looks, 0

    def __getitem__(self, view: View) -> CachedLatents:
        self.count += 1
        found = super().__getitem__(view)
        return CachedLatents(found.mean * torch.nan, found.deviation) if self.count in self.looks else found


@pytest.mark.parametrize("read_every", [1, 4])
def test_after_a_loss_that_is_no_number_it_goes_back_and_on_at_half_the_rate(
    parts: Mapping[str, Part], read_every: int
) -> None:
    plain = recipe(optimizer={"schedule": "constant", "warmup": 0})
    shown = material()
    work, lora = trainer(parts, plain, replace(shown, latents=Spoilt(shown.latents, {3})), read_every=read_every)

    told = list(work.steps(lambda step: False))

    notices = [one.message for one in told if isinstance(one, Notice)]
    assert notices == ["the loss became nan at step 3: back to step 0, at 0.5 times the learning rate"]
    after = told[told.index(Notice(notices[0])) + 1 :]
    assert [one.step for one in after if isinstance(one, Step)] == [1, 2, 3, 4, 5, 6]
    assert {one.learning_rate for one in after if isinstance(one, Step)} == {5e-3}
    assert all(one.isfinite().all() for one in parameters(lora).values())
    assert work.can_go_on


def test_a_slower_rate_is_kept_by_a_state(parts: Mapping[str, Part]) -> None:
    shown = material()
    plain = recipe(optimizer={"schedule": "constant", "warmup": 0})
    work, _ = trainer(parts, plain, replace(shown, latents=Spoilt(shown.latents, {3})))
    list(islice(work.steps(), 5))

    resumed, _ = trainer(parts, plain, shown)
    resumed.load_state(work.state())

    assert {one.learning_rate for one in resumed.steps() if isinstance(one, Step)} == {5e-3}


def test_a_loss_that_stays_no_number_gives_up_with_whole_parameters(parts: Mapping[str, Part]) -> None:
    shown = material()
    nothing = CachedLatents(torch.full((4, 8, 8), torch.nan), torch.zeros(4, 8, 8))
    learns_from = replace(shown, latents={**shown.latents, View(1, shown.items[1].placement): nothing})
    work, lora = trainer(parts, recipe(), learns_from)

    with pytest.raises(ModelHubError, match=r"the loss became nan at step \d") as caught:
        list(work.steps())

    assert caught.value.mend == "train again with a lower learning rate than 0.01"
    assert not work.can_go_on
    assert all(one.isfinite().all() for one in parameters(lora).values())


def test_no_state_is_kept_of_a_loss_that_was_not_looked_at(parts: Mapping[str, Part]) -> None:
    """Even where it is asked for between two looks."""
    shown = material()
    work, _ = trainer(parts, recipe(), replace(shown, latents=Spoilt(shown.latents, {2})), read_every=100)

    taken = remaining(work._material, work._recipe, 0)
    for _ in range(2):
        work._take(*next(taken))

    assert not work.can_go_on


class Forgetful(nn.Module):
    """A UNet for which more than so many pictures at once are too much."""

    def __init__(self, unet: nn.Module, most: int) -> None:
        super().__init__()
        self.unet, self.most, self.asked = unet, most, list[int]()

    def forward(self, x: Tensor, *others: Any, **named: Any) -> Any:
        self.asked.append(len(x))
        if len(x) > self.most:
            raise torch.OutOfMemoryError("CUDA out of memory. (not really)")
        return self.unet(x, *others, **named)


def test_when_memory_runs_out_fewer_pictures_are_computed_at_once_and_the_step_is_the_same(
    parts: Mapping[str, Part],
) -> None:
    wanted, shown = recipe(steps=2, batch=3), material(sizes=[(64, 64)] * 3)
    expected = losses(parts, wanted, shown)
    work, _ = trainer(parts, wanted, shown)
    small = Forgetful(work.forward._unet, most=1)  # type: ignore[arg-type]
    work.forward._unet = small

    told = list(work.steps())

    assert [one.loss for one in told if isinstance(one, Step)] == pytest.approx(expected, rel=1e-5)
    assert [one.message for one in told if isinstance(one, Notice)] == [
        "memory ran out at step 1 with 3 pictures at once: from here on it is 2, and as many a step as before",
        "memory ran out at step 1 with 2 pictures at once: from here on it is 1, and as many a step as before",
    ]
    assert small.asked == [3, 2, 1, 1, 1, 1, 1, 1]
    assert work.state()["at_once"] == 1


def test_memory_that_does_not_hold_one_picture_is_too_little(parts: Mapping[str, Part]) -> None:
    work, _ = trainer(parts, recipe())
    work.forward._unet = Forgetful(nn.Identity(), most=0)

    with pytest.raises(torch.OutOfMemoryError):
        list(work.steps())
    assert work.can_go_on


def test_parts_stop_learning_when_their_time_is_over(parts: Mapping[str, Part]) -> None:
    work, lora = trainer(parts, recipe(steps=4))
    text = next(group for group in work._updates.groups if group.name == "text_encoder")
    work._updates.groups = [replace(text, until=0.5) if group is text else group for group in work._updates.groups]

    taken = work.steps()
    list(islice(taken, 2))
    halfway = parameters(lora)
    list(taken)

    moved = {name for name, one in parameters(lora).items() if not torch.equal(one, halfway[name])}
    assert {name.split("_")[1] for name in moved} == {"unet"}


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
