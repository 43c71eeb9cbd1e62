from collections.abc import Mapping

import pytest
import torch
from diffusers import EulerAncestralDiscreteScheduler
from torch import Tensor, nn

from inference.noise import ImageNoise
from inference.samplers import Options, find
from inference.samplers._sampler import ancestral_split
from inference.schedules import SigmaTable, sigmas
from modelhub.families import family
from tests.denoisers import denoiser_of
from tests.tiny import WIDTH

NOISE = family("sd1").noise
SHAPE = (4, 8, 8)
CFG = 7.0


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # diffusers with numpy 2
@pytest.mark.parametrize("steps", [4, 10, 20])
def test_it_equals_diffusers_on_the_same_network_text_and_noise(models: Mapping[str, nn.Module], steps: int) -> None:
    torch.manual_seed(1)
    cond, uncond = torch.randn(1, 77, WIDTH), torch.randn(1, 77, WIDTH)

    ours, theirs = _ours(models["unet"], cond, uncond, steps), _theirs(models["unet"], cond, uncond, steps)

    assert (ours - theirs).abs().max() / theirs.abs().max() < 1e-5


def _ours(unet: nn.Module, cond: Tensor, uncond: Tensor, steps: int) -> Tensor:
    table = SigmaTable(NOISE)
    noise = ImageNoise([5], SHAPE, "CPU", torch.device("cpu"))
    sampler, schedule = find("Euler a")
    levels = sigmas(schedule, table, steps)
    x = noise.draw() * levels[0]
    for step in sampler.sample(denoiser_of(unet, table, cond, uncond, CFG), x, levels, noise.draw, Options()):
        x = step.x
    return x


@torch.no_grad()
def _theirs(unet: nn.Module, cond: Tensor, uncond: Tensor, steps: int) -> Tensor:
    scheduler = EulerAncestralDiscreteScheduler(
        beta_start=NOISE.beta_start,
        beta_end=NOISE.beta_end,
        beta_schedule="scaled_linear",
        timestep_spacing="linspace",
    )
    scheduler.set_timesteps(steps)
    generator = torch.Generator().manual_seed(5)
    latents = torch.randn(1, *SHAPE, generator=generator) * scheduler.init_noise_sigma
    for timestep in scheduler.timesteps:
        doubled = scheduler.scale_model_input(torch.cat([latents] * 2), timestep)
        without, with_prompt = unet(doubled, timestep, torch.cat([uncond, cond])).sample.chunk(2)
        guided = without + CFG * (with_prompt - without)
        latents = scheduler.step(guided, timestep, latents, generator=generator).prev_sample
    return latents


@pytest.mark.parametrize(("sigma", "following"), [(14.6, 7.8), (1.0, 0.999), (0.37, 0.029), (1.0, 1e-9), (0.03, 0.0)])
def test_the_two_shares_of_an_ancestral_step_add_up_to_the_next_level(sigma: float, following: float) -> None:
    down, up = ancestral_split(sigma, following)

    assert down**2 + up**2 == pytest.approx(following**2)
    assert 0 <= down <= following
    assert up == pytest.approx(following * (1 - following**2 / sigma**2) ** 0.5)


def test_without_eta_an_ancestral_step_adds_no_noise() -> None:
    assert ancestral_split(2.0, 1.0, eta=0.0) == (1.0, 0.0)
