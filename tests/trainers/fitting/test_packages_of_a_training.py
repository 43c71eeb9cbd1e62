"""What is not installed, and who is not logged in, is said before anything is done."""

import sys
from types import ModuleType
from typing import Any

import pytest

from modelhub.errors import BadValue, ModelHubError
from tests.trainers.test_recipe import recipe
from trainers.fitting.packages import _OPTIMIZERS, check_login, check_optimizer, lacking
from trainers.optimizers import KINDS
from trainers.recipe import ComputeOptions, LogOptions, OptimizerOptions


class FakeWandb(ModuleType):
    """What is used of the package: it knows us, or does not."""

    Error = RuntimeError

    def __init__(self, *, knows: bool) -> None:
        super().__init__("wandb")
        self.knows = knows

    def login(self) -> bool:
        if not self.knows:
            raise self.Error("No API key configured. Use `wandb login` to log in.")
        return True


def test_every_optimizer_is_known_with_the_package_that_it_needs() -> None:
    assert _OPTIMIZERS.keys() == KINDS.keys()


def test_an_optimizer_that_there_is_not_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(BadValue, match="there is no optimizer 'Adamw9'") as caught:
        check_optimizer(recipe(optimizer=OptimizerOptions(name="Adamw9")))

    assert "AdamW8bit, PagedAdamW8bit, Lion" in str(caught.value.mend)


@pytest.mark.parametrize(
    ("entries", "told", "mend"),
    [
        ({"optimizer": OptimizerOptions(name="adamw8bit")}, "needs the package bitsandbytes", "--optimizer AdamW"),
        ({"log": LogOptions(tensorboard=True)}, "needs the package tensorboard", "pip install tensorboard"),
        ({"log": LogOptions(wandb="mine")}, "needs the package wandb", "pip install wandb"),
    ],
    ids=["bitsandbytes", "tensorboard", "wandb"],
)
def test_a_package_that_is_not_there_is_named(entries: dict[str, Any], told: str, mend: str) -> None:
    (error,) = lacking(recipe(**entries), installed=lambda package: False)

    assert told in error.message
    assert mend in str(error.mend)
    assert not list(lacking(recipe(**entries), installed=lambda package: True))


def test_what_needs_nothing_lacks_nothing() -> None:
    assert not list(lacking(recipe(), installed=lambda package: False))


def test_who_is_not_logged_in_is_told_how(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "wandb", FakeWandb(knows=False))

    with pytest.raises(ModelHubError, match="cannot be logged in to: No API key") as caught:
        check_login(recipe(log=LogOptions(wandb="mine")))
    assert caught.value.mend == "wandb login, or set WANDB_MODE=offline"


@pytest.mark.parametrize("project", ["", "mine"])
def test_who_is_logged_in_or_need_not_be_goes_on(project: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "wandb", FakeWandb(knows=bool(project)))

    check_login(recipe(log=LogOptions(wandb=project)))


def test_what_torch_is_to_compile_needs_a_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CXX", raising=False)
    wanted = recipe(compute=ComputeOptions(compile=True))

    (told,) = lacking(wanted, finds=lambda name: False)
    assert "compute.compile needs a C++ compiler" in told.message
    assert not list(lacking(wanted, finds=lambda name: name == "clang++"))
    assert not list(lacking(recipe(), finds=lambda name: False))
