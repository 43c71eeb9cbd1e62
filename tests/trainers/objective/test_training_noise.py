"""The noise of a sample: its statistics, and against sd-scripts' formulas fed with the same draws."""

import random

import pytest
import torch
from torch import Tensor, nn

from trainers.objective import drawn
from trainers.recipe import NoiseOptions

LATENTS = (
    torch.randn(4, 24, 16, generator=torch.Generator().manual_seed(9))
    + torch.tensor([0.0, 1.0, -2.0, 0.5])[:, None, None]
)


def chance(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def noise(seed: int = 0, **options: object) -> Tensor:
    return drawn(LATENTS, NoiseOptions.model_validate(options), chance(seed)).target


def test_without_options_it_is_plain_noise_that_goes_in_too() -> None:
    plain = drawn(LATENTS, NoiseOptions(), chance())

    assert (plain.target == torch.randn(4, 24, 16, generator=chance())).all()
    assert plain.given is plain.target


def test_an_offset_moves_each_channel_by_one_number() -> None:
    stream = chance()
    wanted = torch.randn(4, 24, 16, generator=stream)
    wanted = wanted + 0.1 * torch.randn(4, 1, 1, generator=stream)

    torch.testing.assert_close(noise(offset=0.1), wanted, rtol=0, atol=1e-6)


def test_an_adaptive_offset_grows_with_how_far_a_channel_is_from_zero() -> None:
    """sd-scripts: offset + scale * |mean of the channel|."""
    stream = chance()
    wanted = torch.randn(4, 24, 16, generator=stream)
    means = torch.stack([channel.mean().abs() for channel in LATENTS])[:, None, None]
    wanted = wanted + (0.05 + 0.2 * means) * torch.randn(4, 1, 1, generator=stream)

    torch.testing.assert_close(noise(offset=0.05, adaptive_offset=0.2), wanted, rtol=0, atol=1e-6)


def test_an_adaptive_offset_below_zero_ends_at_none() -> None:
    plain = noise()

    moved = noise(offset=0.1, adaptive_offset=-10.0) - plain
    means = LATENTS.mean((1, 2)).abs()
    assert (moved[means > 0.01].abs() < 1e-6).all()


def test_a_random_offset_is_of_strengths_up_to_the_given_one() -> None:
    def strength(seed: int) -> float:
        stream = chance(seed)
        torch.randn(4, 24, 16, generator=stream)
        drawn_share = float(torch.rand((), generator=stream))
        moves = torch.randn(4, 1, 1, generator=stream)
        moved = noise(seed, offset=0.5, random_offset=True) - noise(seed)
        torch.testing.assert_close(moved, (0.5 * drawn_share * moves).expand_as(moved), rtol=0, atol=1e-6)
        return drawn_share

    assert len({strength(seed) for seed in range(5)}) == 5


def test_a_pyramid_is_sd_scripts_of_a_single_sample() -> None:
    stream = chance()
    wanted = torch.randn(1, 4, 24, 16, generator=stream)
    dice = random.Random(int(torch.randint(2**62, (), generator=stream)))
    for level in range(6):
        r = dice.random() * 2 + 2
        height, width = max(1, int(24 / r**level)), max(1, int(16 / r**level))
        finer = nn.Upsample(size=(24, 16), mode="bilinear")(torch.randn(1, 4, height, width, generator=stream))
        wanted = wanted + finer * 0.4**level
        if height == 1 or width == 1:
            break

    found = noise(multires_iterations=6, multires_discount=0.4)
    torch.testing.assert_close(found, (wanted / wanted.std())[0], rtol=0, atol=1e-6)


def test_a_pyramids_noise_is_of_deviation_one_and_smooth() -> None:
    found, plain = noise(multires_iterations=8, multires_discount=0.9), noise()

    assert found.std().item() == pytest.approx(1)
    assert _roughness(found) < 0.9 * _roughness(plain)


def test_perturbation_goes_in_and_is_not_asked_for() -> None:
    stream = chance()
    target = torch.randn(4, 24, 16, generator=stream)
    given = target + 0.1 * torch.randn(4, 24, 16, generator=stream)

    both = drawn(LATENTS, NoiseOptions(perturbation=0.1), chance())
    assert (both.target == target).all()
    torch.testing.assert_close(both.given, given, rtol=0, atol=1e-6)


def test_a_random_perturbation_is_weaker() -> None:
    both = drawn(LATENTS, NoiseOptions(perturbation=0.5, random_perturbation=True), chance())

    assert 0 < (both.given - both.target).std() < 0.5


def test_all_at_once_is_the_same_whenever_it_is_drawn() -> None:
    options = NoiseOptions(offset=0.1, multires_iterations=6, perturbation=0.1)

    first, second = (drawn(LATENTS, options, chance(4)) for _ in range(2))
    assert (first.target == second.target).all()
    assert (first.given == second.given).all()
    assert (first.target != drawn(LATENTS, options, chance(5)).target).any()


def _roughness(found: Tensor) -> float:
    return float((found[:, 1:] - found[:, :-1]).std())
