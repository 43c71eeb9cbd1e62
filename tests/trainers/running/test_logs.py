"""Losses are written as they are told, and to other tools under kohya's names."""

import json
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from modelhub.jobs import Step
from tests.trainers.test_recipe import recipe
from trainers.methods import ParameterGroup
from trainers.recipe import LogOptions
from trainers.running.logs import logged
from trainers.running.runs import RunFolder

GROUPS = [ParameterGroup("unet", [], 4e-4), ParameterGroup("text_encoder", [], 1e-4)]


def step(number: int) -> Step:
    return Step(number, 9, loss=0.5 / number, smoothed=0.4, learning_rate=2e-4)


def kept(folder: RunFolder) -> list[int]:
    return [json.loads(line)["step"] for line in folder.losses.read_text().splitlines()]


def test_each_step_is_a_line(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    with logged(recipe(), folder, GROUPS) as log:
        log.note(step(1))
        log.note(step(2))
        log.note_validation(2, 0.25)

    assert json.loads(folder.losses.read_text().splitlines()[0]) == {"step": 1, "loss": 0.5, "learning_rate": 2e-4}
    assert kept(folder) == [1, 2]
    assert json.loads(folder.validation.read_text()) == {"step": 2, "loss": 0.25}


def test_steps_that_were_taken_back_are_forgotten(tmp_path: Path) -> None:
    with logged(recipe(), RunFolder(tmp_path), GROUPS) as log:
        for number in (1, 2, 3, 2, 3, 4):
            log.note(step(number))

    assert kept(RunFolder(tmp_path)) == [1, 2, 3, 4]


class FakeWandb(ModuleType):
    """What is used of the package."""

    def __init__(self) -> None:
        super().__init__("wandb")
        self.told: list[tuple[int, dict[str, float]]] = []
        self.begun: dict[str, Any] = {}
        self.is_finished = False

    def init(self, **begun: Any) -> SimpleNamespace:
        self.begun = begun
        return SimpleNamespace(log=lambda row, step: self.told.append((step, row)), finish=self._finish)

    def _finish(self) -> None:
        self.is_finished = True


def test_wandb_hears_of_losses_and_of_every_rate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeWandb()
    monkeypatch.setitem(sys.modules, "wandb", fake)
    wanted = recipe(log=LogOptions(wandb="mine"))

    with logged(wanted, RunFolder(tmp_path), GROUPS) as log:
        log.note(step(2))
        log.note_validation(2, 0.75)

    assert (fake.begun["project"], fake.begun["name"]) == ("mine", wanted.name)
    rates = {"lr/unet": 2e-4, "lr/text_encoder": 5e-5}
    assert fake.told == [(2, {"loss/current": 0.25, "loss/average": 0.4, **rates}), (2, {"loss/validation": 0.75})]
    assert fake.is_finished


def test_tensorboard_hears_of_losses(tmp_path: Path) -> None:
    reading = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    with logged(recipe(log=LogOptions(tensorboard=True)), RunFolder(tmp_path), GROUPS) as log:
        log.note(step(1))
        log.note_validation(1, 0.125)

    found = reading.EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    assert {"loss/current", "loss/average", "loss/validation", "lr/unet"} <= set(found.Tags()["scalars"])
    assert found.Scalars("loss/validation")[0].value == 0.125
