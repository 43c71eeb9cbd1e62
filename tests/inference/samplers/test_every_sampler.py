"""What every sampler must do, whichever file it comes from."""

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from inference.denoiser import Denoiser
from inference.samplers import find, known
from inference.schedules import AUTOMATIC, SCHEDULES, SigmaTable, sigmas
from modelhub.errors import BadValue
from modelhub.families import family
from tests.inference.samplers.gaussian import MEAN, SPREAD, denoise
from tests.tiny import WIDTH

TABLE = SigmaTable(family("sd1").noise)
every_sampler = pytest.mark.parametrize("name", known())
every_schedule = pytest.mark.parametrize("schedule", SCHEDULES)


@every_sampler
@every_schedule
@pytest.mark.parametrize("steps", [1, 2, 5, 20])
def test_a_sampler_takes_the_steps_it_was_given_and_ends_in_a_picture(name: str, schedule: str, steps: int) -> None:
    generator = torch.Generator().manual_seed(0)
    levels = sigmas(schedule, TABLE, steps)
    x = torch.randn(2, 4, 8, 8, generator=generator) * levels[0]

    taken = list(known()[name].sample(denoise, x, levels, lambda: torch.randn(x.shape, generator=generator)))

    assert [step.index for step in taken] == list(range(steps))
    for step in taken:
        assert step.x.shape == step.denoised.shape == x.shape
        assert step.x.isfinite().all()
    assert (taken[-1].x - MEAN).abs().max() < 10


@every_sampler
def test_enough_steps_draw_the_distribution_that_the_model_learned(name: str) -> None:
    sampler = known()[name]
    generator = torch.Generator().manual_seed(0)
    levels = sigmas(sampler.default_schedule, TABLE, 150)
    x = torch.randn(20_000, generator=generator) * levels[0]

    *_, last = sampler.sample(denoise, x, levels, lambda: torch.randn(x.shape, generator=generator))

    x = last.x
    assert x.mean().item() == pytest.approx(MEAN, abs=0.04)
    assert x.std().item() == pytest.approx(SPREAD, rel=0.05)


@every_sampler
def test_the_latents_it_was_given_are_left_alone(name: str) -> None:
    x = torch.full((1, 4, 8, 8), 3.0)

    list(known()[name].sample(denoise, x, sigmas("Karras", TABLE, 5), lambda: torch.ones_like(x)))

    assert (x == 3.0).all()


class CountsWaits(TorchDispatchMode):
    """Counts what makes the processor wait for a GPU: a tensor's number read, or a shape that depends on numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[str] = []

    def __torch_dispatch__(self, op: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        reads = any(name in str(op) for name in ("_local_scalar_dense", "nonzero", "unique", "masked_select"))
        masks = str(op).startswith("aten.index") and any(one is not None and one.dtype == torch.bool for one in args[1])
        if reads or masks:
            self.waits.append(str(op))
        return op(*args, **kwargs or {})


@every_sampler
def test_no_step_waits_for_the_device(name: str, models: Mapping[str, nn.Module]) -> None:
    x, noise = torch.randn(1, 4, 8, 8), torch.randn(1, 4, 8, 8)
    denoiser = Denoiser(models["unet"], TABLE, "epsilon", torch.randn(1, 77, WIDTH), torch.randn(1, 77, WIDTH), 7.0)
    levels = sigmas("Karras", TABLE, 3)

    with CountsWaits() as counter:
        list(known()[name].sample(denoiser, x, levels, lambda: noise))

    assert counter.waits == []


@pytest.mark.parametrize("wait", [lambda x: x[0].item(), lambda x: bool((x > 0).any()), lambda x: x[x > 0]])
def test_the_counter_of_waits_sees_them(wait: Any) -> None:
    x: Tensor = torch.randn(4)

    with CountsWaits() as counter:
        wait(x)

    assert counter.waits


@every_sampler
def test_a_sampler_is_found_by_each_of_its_names(name: str) -> None:
    sampler = known()[name]

    for one in (name, *sampler.aliases):
        assert find(one) == (sampler, sampler.default_schedule)


@every_sampler
@every_schedule
def test_a_schedule_may_stand_behind_the_samplers_name(name: str, schedule: str) -> None:
    assert find(f"{name} {schedule}") == (known()[name], schedule)
    assert find(name, schedule) == (known()[name], schedule)


def test_no_two_samplers_share_a_name() -> None:
    names = [name for one in known().values() for name in (one.name, *one.aliases)]

    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("name", "sampler", "schedule"),
    [
        ("Euler a", "Euler a", "Uniform"),
        ("k_euler_ancestral", "Euler a", "Uniform"),
        ("DPM++ 2M", "DPM++ 2M", "Karras"),
        ("k_dpmpp_2m", "DPM++ 2M", "Karras"),
        ("DPM++ 2M Uniform", "DPM++ 2M", "Uniform"),
    ],
)
def test_webuis_names_mean_what_they_mean_there(name: str, sampler: str, schedule: str) -> None:
    found, chosen = find(name)

    assert (found.name, chosen) == (sampler, schedule)


@pytest.mark.parametrize("name", ["Euler b", "euler a", "", "Karras"])
def test_an_unknown_sampler_is_refused_with_the_known_ones(name: str) -> None:
    with pytest.raises(BadValue, match=r"is no sampler .*DPM\+\+ 2M.*Euler a"):
        find(name)


def test_an_unknown_schedule_is_refused_with_the_known_ones() -> None:
    with pytest.raises(BadValue, match=f"'Carras' is no schedule .*{AUTOMATIC}.*Karras"):
        find("Euler a", "Carras")
