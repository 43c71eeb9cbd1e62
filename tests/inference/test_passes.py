"""Which noise levels a pass goes down: webui's rules, counted by hand."""

import math
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from inference.canvas import Canvas
from inference.noise import ImageNoise
from inference.passes import Descent, Pass, draw, first_pass
from inference.request import GenerationRequest
from inference.samplers import known
from inference.schedules import SigmaTable
from modelhub.families import family
from modelhub.jobs import Progress

NOISE = family("sd1").noise
assert NOISE
TABLE = SigmaTable(NOISE)


def way(sampler: str, steps: int = 20, **init: object) -> Pass:
    request = GenerationRequest.model_validate(
        {"prompt": "", "model": "m", "sampler": sampler, "steps": steps, "init": {"image": "i", **init}}
    )
    return first_pass(request)


def levels(sampler: str, steps: int = 20, **init: object) -> Descent:
    return way(sampler, steps, **init).levels(TABLE)


def timesteps(found: list[float]) -> list[int]:
    return [round(TABLE.timestep(level)) if level else -1 for level in found]


@pytest.mark.parametrize(
    ("denoise", "steps", "taken"), [(0.75, 20, 16), (0.5, 20, 11), (1.0, 20, 20), (0.0, 20, 1), (0.3, 7, 3)]
)
def test_a_share_of_the_steps_and_one_more_are_taken(denoise: float, steps: int, taken: int) -> None:
    found = levels("Euler", steps, denoise=denoise)

    assert len(found.taken) == taken + 1
    assert found.taken == found.schedule[-taken - 1 :]
    assert found.laid == found.taken[0]


def test_exact_steps_go_down_the_end_of_a_longer_schedule() -> None:
    found = levels("Euler", 20, denoise=0.5, exact_steps=True)

    assert len(found.schedule) == 41
    assert found.taken == found.schedule[20:]


def test_a_schedule_with_more_levels_than_steps_is_counted_from_its_beginning() -> None:
    found = levels("Euler DDIM", 30, denoise=0.5)  # 1000 // 30 = 33: 31 levels and 0

    assert found.taken == found.schedule[30 - 16 :]


@pytest.mark.parametrize("sampler", ["DDIM", "PLMS", "DDIM CFG++"])
def test_timestep_samplers_begin_one_timestep_below_the_noise(sampler: str) -> None:
    found = levels(sampler, 20, denoise=0.75)  # timesteps 1, 51, ..., 951: the 15th from 0 is 751

    assert timesteps([found.laid]) == [751]
    assert timesteps(found.taken) == list(range(701, 0, -50))


def test_unipc_goes_evenly_down_from_that_timestep() -> None:
    found = levels("UniPC", 20, denoise=0.5)

    assert timesteps([found.laid]) == [501]
    assert timesteps(found.taken) == [451, 406, 361, 316, 271, 226, 180, 135, 90, 45, 0]


@pytest.mark.parametrize("sampler", ["DPM fast", "DPM adaptive"])
def test_dpm_solvers_go_from_the_uniform_schedules_level_to_the_smallest(sampler: str) -> None:
    found = levels(sampler, 20, denoise=0.5)

    assert timesteps([found.taken[0], found.taken[-1]]) == [526, 0]  # 999 * 10 / 19
    assert found.laid == found.taken[0]
    assert len(found.taken) == 12


@pytest.mark.parametrize("sampler", known())
@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("denoise", [0.0, 0.01, 0.3, 1.0])
def test_every_sampler_finds_its_way_from_any_share(sampler: str, exact: bool, denoise: float) -> None:
    for steps in (1, 2, 20):
        found = levels(sampler, steps, denoise=denoise, exact_steps=exact)

        assert found.laid > 0 or (exact and not denoise)
        assert found.taken == sorted(found.taken, reverse=True)
        assert len(found.schedule) >= 2


class Flat:
    """Guesses that everything is 3, and remembers the noise levels it was asked at."""

    def __init__(self) -> None:
        self.asked: list[float] = []

    def __call__(self, x: Tensor, sigma: float) -> Tensor:
        self.asked.append(sigma)
        return torch.full_like(x, 3.0)

    def apart(self, x: Tensor, sigma: float) -> tuple[Tensor, Tensor]:
        guess = self(x, sigma)
        return guess, guess


def drawn(way: Pass, canvas: Canvas, model: Flat) -> Tensor:
    """What a pass leaves, with the noise of seed 7."""
    noise = ImageNoise([7], (4, 8, 8), "NV", torch.device("cpu"))
    results: list[Tensor] = []

    def followed() -> Iterator[Progress]:
        results.append((yield from draw(way, model, TABLE, noise, canvas, task="x")))

    list(followed())
    return results[0]


OLD = torch.linspace(-1, 1, 256).reshape(1, 4, 8, 8)
FIRST = ImageNoise([7], (4, 8, 8), "NV", torch.device("cpu")).draw()


def test_noise_is_laid_over_the_latents_as_it_is_told() -> None:
    """With one step left nothing but the noise is left of a guess that is laid down: x0 + (guess - x0) at sigma 0."""
    one = way("Euler", 20, denoise=0.0, noise_multiplier=0.5, extra_noise=0.1)
    found = one.levels(TABLE)

    asked: list[Tensor] = []

    class Remembers(Flat):
        def __call__(self, x: Tensor, sigma: float) -> Tensor:
            asked.append(x)
            return super().__call__(x, sigma)

    drawn(one, Canvas((64, 64), OLD), Remembers())

    assert torch.allclose(asked[0], OLD + FIRST * 0.5 * (found.laid + 0.1))


def test_a_timestep_sampler_takes_latents_in_its_own_terms() -> None:
    """webui: x = sqrt(abar_e) x0 + sqrt(1 - abar_e) noise is then taken for one at the timestep below."""
    one = way("DDIM", 20, denoise=0.15)  # laid at 151, one step from 101 to 51, another to 1
    found = one.levels(TABLE)
    kept = 1 / math.hypot(found.laid, 1.0)
    x = OLD * kept + FIRST * math.sqrt(1 - kept**2)
    for level, following in zip(found.taken, found.taken[1:], strict=False):
        kept, kept_next = 1 / math.hypot(level, 1.0), 1 / math.hypot(following, 1.0)
        noise = (x - kept * 3.0) / math.sqrt(1 - kept**2)
        x = kept_next * 3.0 + math.sqrt(1 - kept_next**2) * noise

    model = Flat()
    ours = drawn(one, Canvas((64, 64), OLD), model)

    assert len(model.asked) == 2
    assert torch.allclose(ours, x, atol=1e-5)


@pytest.mark.parametrize("denoise", [0.0, 0.05])
def test_a_timestep_sampler_without_a_step_returns_the_latents_with_their_noise(denoise: float) -> None:
    one = way("DDIM", 20, denoise=denoise)
    laid = one.levels(TABLE).laid

    model = Flat()
    ours = drawn(one, Canvas((64, 64), OLD), model)

    assert model.asked == []
    assert torch.allclose(ours, (OLD + FIRST * laid) / math.hypot(laid, 1.0), atol=1e-6)


def test_what_is_masked_is_the_guess_that_the_sampler_sees() -> None:
    """Also where a sampler asks the model in its own way: LCM mixes x into what the model says."""
    seen: list[float] = []

    def masked(denoise: Flat) -> Flat:
        class Masked(Flat):
            def __call__(self, x: Tensor, sigma: float) -> Tensor:
                seen.append(float(denoise(x, sigma).mean()))
                return torch.zeros_like(x)

        return Masked()

    canvas = Canvas((64, 64), OLD, masked=masked)  # type: ignore[arg-type]

    assert (drawn(way("LCM", 4, denoise=0.5), canvas, Flat()) == 0).all()
    assert seen
