"""Some steps are tried before the first one: they tell what a training takes, and leave no trace in it."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any, cast

import pytest
import torch

from inference.weights.parts import UNET
from modelhub.catalog import Catalog
from modelhub.jobs import Notice, Step
from tests.trainers.pictures import write_set
from trainers.learning.batch import Piece
from trainers.learning.loop import Trainer
from trainers.plan import TrainingPlan, plan_training
from trainers.recipe import parse_recipe
from trainers.running import rehearsal as rehearsing
from trainers.running.announcing import outlook
from trainers.running.occupied import occupied
from trainers.running.rehearsal import Rehearsal, rehearse
from trainers.running.training import Ready, engine_for, made_ready

Made = tuple[TrainingPlan, Ready]
LEARNING = [
    {"options": {"rank": 2, "dropout": 0.5, "rank_dropout": 0.5}, "text_encoder_learning_rate": 1e-3},
    {"method": "textual_inversion", "options": {"token": "mira"}},
    {"method": "full", "options": {}, "compute": {"checkpointing": True, "ema": 0.9, "micro_batch": 1}},
    {"options": {"rank": 2}, "optimizer": {"name": "Prodigy"}, "compute": {"precision": "bf16"}},
]


@pytest.fixture
def made(catalog: Catalog, checkpoint: Path, tmp_path: Path) -> Iterator[Callable[..., Made]]:
    """A recipe's entries -> its training, at the first step."""
    catalog.add(checkpoint, name="tiny")
    images = write_set(tmp_path / "pictures", *[(64, 64)] * 3, (128, 64))
    begun: list[Ready] = []

    def make(**entries: Any) -> Made:
        usual = {"base": "tiny", "name": "kip", "steps": 4, "batch": 2, "dataset": {"images": images}}
        plan = plan_training(parse_recipe({**usual, **entries}, "here"), catalog)
        getting = made_ready(plan, tmp_path / "cache", engine_for(plan.recipe, "cpu"))
        while True:
            try:
                next(getting)
            except StopIteration as end:
                begun.append(end.value)
                return plan, end.value

    yield make
    for one in begun:
        one.trainee.detach()


def losses(ready: Ready) -> list[float]:
    return [event.loss for event in ready.trainer.steps() if isinstance(event, Step)]


def flat(state: Any) -> list[Any]:
    """All values of a state, tensors as what they hold."""
    if isinstance(state, dict | list | tuple):
        return [one for value in (state.values() if isinstance(state, dict) else state) for one in flat(value)]
    return [state.tolist() if isinstance(state, torch.Tensor) else state]


@pytest.mark.parametrize("entries", LEARNING)
def test_a_rehearsed_training_takes_the_very_steps_of_one_that_is_not(
    made: Callable[..., Made], entries: dict[str, Any]
) -> None:
    (plan, ready), (_, plain) = made(**entries), made(**entries)
    before = flat(ready.trainer.state())

    assert rehearse(plan, ready) is not None

    assert flat(ready.trainer.state()) == before
    assert all(one.grad is None for group in ready.trainee.groups() for one in group.parameters)
    assert losses(ready) == losses(plain)
    assert flat(ready.trainer.state()) == flat(plain.trainer.state())


def test_a_resumed_training_is_rehearsed_from_where_it_stands(made: Callable[..., Made]) -> None:
    plan, ready = made(options={"rank": 2})
    _, plain = made(options={"rank": 2})
    whole = losses(plain)

    taken = [next(steps) for steps in [ready.trainer.steps()] for _ in range(2)]
    rehearse(plan, ready)

    assert [one.loss for one in taken if isinstance(one, Step)] + losses(ready) == whole
    assert rehearse(plan, ready) is None


class Timed:
    """A trainer for which each picture takes so many seconds."""

    def __init__(self, trainer: Trainer, seconds: float) -> None:
        self.step, self.ahead = trainer.step, trainer.ahead
        self.now, self.tried, self._seconds = 0.0, list[Piece](), seconds

    def rehearse(self, piece: Piece) -> None:
        self.tried.append(piece)
        self.now += self._seconds * len(piece.items)


def timed(plan: TrainingPlan, ready: Ready, seconds: float) -> tuple[Rehearsal, list[Piece]]:
    """What comes of it, and what was tried."""
    trainer = Timed(ready.trainer, seconds)
    found = rehearse(plan, replace(ready, trainer=cast(Trainer, trainer)), clock=lambda: trainer.now)
    assert found is not None
    return found, trainer.tried


def test_the_largest_piece_is_tried_first_and_no_more_than_a_share_of_the_training(
    made: Callable[..., Made],
) -> None:
    plan, ready = made(steps=200, batch=1)

    _, pieces = timed(plan, ready, seconds=0.0)

    sizes = [plan.items[piece.items[0]].placement.bucket for piece in pieces]
    assert sizes[0] == max(sizes, key=lambda size: size[0] * size[1])
    assert len(pieces) == 10


@pytest.mark.parametrize(("seconds", "count"), [(5.0, 1), (0.6, 4)])
def test_what_is_slow_is_tried_no_longer_than_it_must(made: Callable[..., Made], seconds: float, count: int) -> None:
    found, pieces = timed(*made(steps=1000, batch=1), seconds)

    assert len(pieces) == count
    assert found.step >= 0.9 * seconds


def test_a_steps_time_is_that_of_all_its_pieces(made: Callable[..., Made]) -> None:
    found, _ = timed(*made(steps=400, batch=2, compute={"accumulate": 2, "micro_batch": 1}), seconds=0.01)

    assert found.step == pytest.approx(0.04, rel=0.05)
    assert found.answer == pytest.approx(0.01 / 2.15, rel=0.3)


def test_where_memory_runs_out_the_training_begins_with_smaller_pieces(made: Callable[..., Made]) -> None:
    plan, ready = made(batch=2, options={"rank": 2})
    whole = ready.trainer.forward._unet

    def small(given: torch.Tensor, *others: Any, **named: Any) -> Any:
        if len(given) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory. (not really)")
        return whole(given, *others, **named)

    ready.trainer.forward._unet = small
    assert rehearse(plan, ready) is not None

    assert ready.trainer.state()["at_once"] == 1
    said = [event.message for event in ready.trainer.steps() if isinstance(event, Notice)]
    assert said == [
        "memory ran out at step 1 with 2 pictures at once: from here on it is 1, and as many a step as before"
    ]


def test_the_memory_of_what_an_optimizer_keeps_is_counted_before_it_is_there(made: Callable[..., Made]) -> None:
    plan, ready = made(method="full", options={})
    parameters = list(ready.trainee.module.parameters())
    tries = rehearsing._Tries(
        ready.trainer, ready.material, next(ready.models[UNET].parameters()).device, perf_counter, False
    )

    found = rehearsing._update(parameters, plan.recipe, tries)

    assert found.kept == pytest.approx(8 * sum(one.numel() for one in parameters), rel=0.01)


def test_the_most_memory_is_seen_though_it_is_given_back() -> None:
    with occupied(torch.device("cpu")) as most:
        before = most()
        held = torch.ones(32 << 20)
        seen = most()
        del held
        after = most()

    assert seen - before > 100 << 20
    assert after - before > 100 << 20


def test_a_trainings_time_is_told_with_what_it_does_beside_learning(made: Callable[..., Made]) -> None:
    preview = {"every": 50, "prompts": ["a ramp", "a hill"], "sampling_steps": 10}
    plan, _ = made(steps=200, preview=preview)

    told = outlook(plan, Rehearsal(step=0.5, answer=0.25, memory=1_500_000_000), taken=100)

    assert told == (
        "about 60 s on this machine, by steps that were tried: 0.5 s each, 10 s of it for held-out pictures and "
        "previews; 1.5 GB of memory"
    )
