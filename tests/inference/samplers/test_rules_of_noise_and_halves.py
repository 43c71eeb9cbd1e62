"""The samplers of two calls a step, and those with fresh noise, in their papers' terms: t = -ln sigma."""

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from inference.samplers import Options, known
from inference.samplers.restart import gaps
from inference.schedules import AUTOMATIC, SigmaTable
from modelhub.families import family
from tests.inference.samplers.gaussian import Noise, denoise

TABLE = SigmaTable(family("sd1").noise)
START = torch.randn(64, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
ETA, S_NOISE = 0.8, 0.9

Way = Iterator[tuple[float, float]]
Rule = Callable[[Tensor, Sequence[float], Noise], Tensor]


def split(sigma: float, following: float) -> tuple[float, float]:
    """k-diffusion's get_ancestral_step."""
    up = min(following, ETA * math.sqrt(following**2 * (sigma**2 - following**2) / sigma**2))
    return math.sqrt(following**2 - up**2), up


def slope(x: Tensor, sigma: float) -> Tensor:
    return (x - denoise(x, sigma)) / sigma


def euler(x: Tensor, levels: Sequence[float], noise: Noise) -> Tensor:
    for sigma, following in pairwise(levels):
        x = x + slope(x, sigma) * (following - sigma)
    return x


def euler_a(x: Tensor, levels: Sequence[float], noise: Noise) -> Tensor:
    for sigma, following in pairwise(levels):
        down, up = split(sigma, following)
        x = x + slope(x, sigma) * (down - sigma)
        x = x + noise() * S_NOISE * up if following > 0 else x
    return x


def dpm2(x: Tensor, levels: Sequence[float], noise: Noise) -> Tensor:
    for sigma, following in pairwise(levels):
        d = slope(x, sigma)
        if following == 0:
            return x + d * (following - sigma)
        middle = math.exp((math.log(sigma) + math.log(following)) / 2)
        x = x + slope(x + d * (middle - sigma), middle) * (following - sigma)
    return x


def dpm2_a(x: Tensor, levels: Sequence[float], noise: Noise) -> Tensor:
    for sigma, following in pairwise(levels):
        down, up = split(sigma, following)
        d = slope(x, sigma)
        if down == 0:
            return x + d * (down - sigma)
        middle = math.exp((math.log(sigma) + math.log(down)) / 2)
        x = x + slope(x + d * (middle - sigma), middle) * (down - sigma) + noise() * S_NOISE * up
    return x


def dpmpp_2s_a(x: Tensor, levels: Sequence[float], noise: Noise) -> Tensor:
    for sigma, following in pairwise(levels):
        down, up = split(sigma, following)
        if down == 0:
            return x + slope(x, sigma) * (down - sigma)
        t, t_next = -math.log(sigma), -math.log(down)
        h, s = t_next - t, t + (t_next - t) / 2
        x2 = math.exp(-s) / math.exp(-t) * x - math.expm1(-h / 2) * denoise(x, sigma)
        x = math.exp(-t_next) / math.exp(-t) * x - math.expm1(-h) * denoise(x2, math.exp(-s))
        x = x + noise() * S_NOISE * up
    return x


def dpmpp_sde(x: Tensor, levels: Sequence[float], noise: Noise) -> Tensor:
    r = 1 / 2
    for sigma, following in pairwise(levels):
        if following == 0:
            return x + slope(x, sigma) * (following - sigma)
        t, t_next = -math.log(sigma), -math.log(following)
        s = t + (t_next - t) * r
        denoised = denoise(x, sigma)
        sd, su = split(math.exp(-t), math.exp(-s))
        s_ = -math.log(sd)
        x2 = math.exp(-s_) / math.exp(-t) * x - math.expm1(t - s_) * denoised
        x2 = x2 + noise.between(sigma, math.exp(-s)) * S_NOISE * su
        denoised2 = denoise(x2, math.exp(-s))
        sd, su = split(math.exp(-t), math.exp(-t_next))
        t_next_ = -math.log(sd)
        d = (1 - 1 / (2 * r)) * denoised + 1 / (2 * r) * denoised2
        x = math.exp(-t_next_) / math.exp(-t) * x - math.expm1(t - t_next_) * d
        x = x + noise.between(sigma, following) * S_NOISE * su
    return x


def dpmpp_2m_sde(heun: bool) -> Rule:
    def rule(x: Tensor, levels: Sequence[float], noise: Noise) -> Tensor:
        old, h_last = None, 0.0
        for sigma, following in pairwise(levels):
            denoised = denoise(x, sigma)
            if following == 0:
                return denoised
            h = math.log(sigma) - math.log(following)
            whole = h + ETA * h
            x = following / sigma * math.exp(-ETA * h) * x - math.expm1(-whole) * denoised
            if old is not None:
                r = h_last / h
                factor = (-math.expm1(-whole) / -whole + 1) / r if heun else 0.5 * -math.expm1(-whole) / r
                x = x + factor * (denoised - old)
            x = x + noise.between(sigma, following) * following * math.sqrt(-math.expm1(-2 * ETA * h)) * S_NOISE
            old, h_last = denoised, h
        return x

    return rule


def dpmpp_3m_sde(x: Tensor, levels: Sequence[float], noise: Noise) -> Tensor:
    past: list[tuple[Tensor, float]] = []
    for sigma, following in pairwise(levels):
        denoised = denoise(x, sigma)
        if following == 0:
            return denoised
        h = math.log(sigma) - math.log(following)
        h_eta = h * (ETA + 1)
        x = math.exp(-h_eta) * x - math.expm1(-h_eta) * denoised
        phi_2 = math.expm1(-h_eta) / h_eta + 1
        if len(past) > 1:
            (d1, h1), (d2, h2) = past[-1], past[-2]
            r0, r1 = h1 / h, h2 / h
            a, b = (denoised - d1) / r0, (d1 - d2) / r1
            x = x + phi_2 * (a + (a - b) * r0 / (r0 + r1)) - (phi_2 / h_eta - 0.5) * (a - b) / (r0 + r1)
        elif past:
            x = x + phi_2 * (denoised - past[-1][0]) / (past[-1][1] / h)
        x = x + noise.between(sigma, following) * following * math.sqrt(-math.expm1(-2 * h * ETA)) * S_NOISE
        past.append((denoised, h))
    return x


def restart(x: Tensor, levels: Sequence[float], noise: Noise) -> Tensor:
    """Heun's steps, and sqrt(sigma_up^2 - sigma^2) noise where the way goes up (Xu et al. 2023, algorithm 1)."""
    reached = None
    for sigma, following in gaps(levels):
        if reached is not None and sigma > reached:
            x = x + noise() * S_NOISE * math.sqrt(sigma**2 - reached**2)
        d = slope(x, sigma)
        there = x + d * (following - sigma)
        x = there if following == 0 else x + (d + slope(there, following)) / 2 * (following - sigma)
        reached = following
    return x


def dpm_fast(x: Tensor, levels: Sequence[float], noise: Noise) -> Tensor:
    """DPM-Solver of orders 3, 2 and 1 in eps (Lu et al. 2022, algorithms 1 and 2), without fresh noise in between."""
    count = len(levels) - 1
    segments = count // 3 + 1
    orders = [3] * (segments - 2) + [2, 1] if count % 3 == 0 else [3] * (segments - 1) + [count % 3]
    first, last = -math.log(levels[0]), -math.log(levels[-1])
    times = [first + (last - first) * at / len(orders) for at in range(len(orders) + 1)]

    def eps(x: Tensor, t: float) -> Tensor:
        return slope(x, math.exp(-t))

    for order, (t, t_next) in zip(orders, pairwise(times), strict=True):
        h, e = t_next - t, eps(x, t)
        if order == 1:
            change = math.exp(-t_next) * math.expm1(h) * e
        elif order == 2:
            s = t + h / 2
            e1 = eps(x - math.exp(-s) * math.expm1(h / 2) * e, s)
            change = math.exp(-t_next) * (math.expm1(h) * e + math.expm1(h) * (e1 - e))
        else:
            s1, s2 = t + h / 3, t + h * 2 / 3
            e1 = eps(x - math.exp(-s1) * math.expm1(h / 3) * e, s1)
            bend = math.exp(-s2) * 2 * (math.expm1(h * 2 / 3) / (h * 2 / 3) - 1) * (e1 - e)
            e2 = eps(x - math.exp(-s2) * math.expm1(h * 2 / 3) * e - bend, s2)
            change = math.exp(-t_next) * (math.expm1(h) * e + 3 / 2 * (math.expm1(h) / h - 1) * (e2 - e))
        x = x - change
    return x


RULES: dict[str, Rule] = {
    "Euler": euler, "Euler a": euler_a, "DPM2": dpm2, "DPM2 a": dpm2_a, "DPM++ 2S a": dpmpp_2s_a,
    "DPM++ SDE": dpmpp_sde, "DPM++ 2M SDE": dpmpp_2m_sde(heun=False), "DPM++ 2M SDE Heun": dpmpp_2m_sde(heun=True),
    "DPM++ 3M SDE": dpmpp_3m_sde, "Restart": restart, "DPM fast": dpm_fast,
}  # fmt: skip


@pytest.mark.parametrize("steps", [1, 2, 5, 20, 36])
@pytest.mark.parametrize("name", RULES)
def test_it_is_the_published_rule(name: str, steps: int) -> None:
    sampler = known()[name]
    options = Options(eta=0.0 if name == "DPM fast" else ETA, noise=S_NOISE)
    levels = sampler.levels(AUTOMATIC if sampler.only_grid else "Karras", TABLE, steps)
    x = START * levels[0]

    *_, last = sampler.sample(denoise, x, levels, Noise(x.shape, x.dtype), options)

    expected = RULES[name](x, levels, Noise(x.shape, x.dtype))
    assert (last.x - expected).norm() / expected.norm() < 1e-5


def test_lcm_adds_fresh_noise_to_each_guess() -> None:
    sampler = known()["LCM"]
    levels, noise = sampler.levels(AUTOMATIC, TABLE, 4), Noise(START.shape, START.dtype)
    x = START * levels[0]
    for sigma, following in pairwise(levels):
        x = denoise(x, sigma) + (noise() * following if following > 0 else 0)

    *_, last = sampler.sample(denoise, START * levels[0], levels, Noise(START.shape, START.dtype), Options())

    torch.testing.assert_close(last.x, x)
