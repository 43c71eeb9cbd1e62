"""What every sampler must do, whichever file it comes from."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from inference.attention import lightened
from inference.levels import EvenLogs, FlowTime
from inference.objectives import PREDICTIONS
from inference.samplers import Denoise, Options, Step, find, known
from inference.schedules import AUTOMATIC, SCHEDULES, SigmaTable
from modelhub.errors import BadValue
from modelhub.families import family
from tests import tiny
from tests.denoisers import denoiser_of
from tests.inference.samplers.gaussian import MEAN, SPREAD, Noise, denoise
from tests.tiny import WIDTH

TABLE = SigmaTable(family("sd1").noise)
every_sampler = pytest.mark.parametrize("name", known())
every_schedule = pytest.mark.parametrize("schedule", SCHEDULES)


def pairings() -> list[tuple[str, str]]:
    return [
        (name, schedule)
        for name, sampler in known().items()
        for schedule in ((AUTOMATIC,) if sampler.only_grid else (sampler.default_schedule, *SCHEDULES))
    ]


def ways(name: str, schedule: str, steps: int, x: Tensor, denoise: Denoise = denoise) -> tuple[list[float], list[Step]]:
    """The levels and the steps that a sampler takes from a noise of deviation 1."""
    sampler = known()[name]
    levels = sampler.levels(schedule, TABLE, steps)
    noise = Noise(x.shape, x.dtype)
    return levels, list(
        sampler.sample(sampler.asking(denoise, TABLE), x * sampler.start(levels), levels, noise, Options())
    )


@pytest.mark.parametrize(("name", "schedule"), pairings())
@pytest.mark.parametrize("steps", [1, 2, 5, 20])
def test_a_sampler_takes_its_steps_and_ends_in_a_picture(name: str, schedule: str, steps: int) -> None:
    x = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(0))

    levels, taken = ways(name, schedule, steps, x)

    assert taken[-1].index == len(levels) - 2
    if not name.startswith("DPM "):  # these choose how many segments, and count calls or shares of the way
        assert [step.index for step in taken] == list(range(len(levels) - 1))
    for step in taken:
        assert step.x.shape == step.denoised.shape == x.shape
        assert step.x.isfinite().all()
    if steps == 20:  # fewer throw some methods far off, as in the papers
        assert (taken[-1].x - MEAN).abs().max() < 10


@every_sampler
def test_enough_steps_draw_the_distribution_that_the_model_learned(name: str) -> None:
    x = torch.randn(20_000, generator=torch.Generator().manual_seed(0))

    _, taken = ways(name, known()[name].default_schedule, 150, x)

    x = taken[-1].x
    assert x.mean().item() == pytest.approx(MEAN, abs=0.04)
    if name != "LCM":  # it takes the guess for the picture, which is right for models distilled to guess one
        assert x.std().item() == pytest.approx(SPREAD, rel=0.05)


@every_sampler
def test_the_latents_it_was_given_are_left_alone(name: str) -> None:
    sampler, x = known()[name], torch.full((1, 4, 8, 8), 3.0)
    levels = sampler.levels(sampler.default_schedule, TABLE, 5)

    list(sampler.sample(sampler.asking(denoise, TABLE), x, levels, Noise(x.shape), Options(eta=1.0, churn=20.0)))

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
    noise = torch.randn(1, 4, 8, 8)
    denoiser = denoiser_of(models["unet"], TABLE, torch.randn(1, 77, WIDTH), torch.randn(1, 77, WIDTH), 7.0)

    with CountsWaits() as counter:
        ways(name, known()[name].default_schedule, 3, noise, denoiser)

    if known()[name].adaptive:  # reads one number for each step that it tries
        assert 0 < len(counter.waits) < 100
    else:
        assert counter.waits == []


@pytest.mark.parametrize("prediction", PREDICTIONS)
def test_no_objective_nor_guidance_waits_for_the_device(prediction: str) -> None:
    table = {"edm": SigmaTable(EvenLogs(0.002, 80.0)), "flow": SigmaTable(FlowTime())}.get(prediction, TABLE)
    unet, texts = lightened(tiny.models()["unet"]), [torch.randn(1, 77, WIDTH) for _ in range(2)]
    plain = denoiser_of(unet, table, *texts, 7.0, prediction=prediction)
    denoiser = replace(plain, unguided_below=5.0)

    with CountsWaits() as counter:
        _, taken = ways("DPM++ 2M", "Karras", 4, torch.randn(1, 4, 8, 8), denoiser)

    assert len(taken) == 4
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
    if known()[name].only_grid:
        for words in ((f"{name} {schedule}",), (name, schedule)):
            with pytest.raises(BadValue, match="has noise levels of its own") as refused:
                find(*words)
            assert f'--sampler "{name}"' in str(refused.value.mend)
        return
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
        ("DPM++ 2M SGM Uniform", "DPM++ 2M", "SGM Uniform"),
        ("DPM++ 2M SDE Heun Polyexponential", "DPM++ 2M SDE Heun", "Polyexponential"),
        ("DPM++ 3M SDE karras", "DPM++ 3M SDE", "Karras"),
        ("Euler SGMUniform", "Euler", "SGM Uniform"),
        ("DPM2 DDIM", "DPM2", "DDIM"),
        ("k_dpm_ad", "DPM adaptive", "Automatic"),
        ("ddim_cfgpp", "DDIM CFG++", "Automatic"),
        ("LCM", "LCM", "Automatic"),
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
