"""What a mask keeps during sampling, with numbers that can be checked by hand."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from inference.over.blending import After, Before, Plain
from inference.over.soft import SoftBlend, _kernel, _percentile_mean, changed
from inference.request import Soft

MASK = torch.tensor([[[[0.0, 0.25, 1.0]]]])
OLD = torch.tensor([[[[3.0, 3.0, 3.0]], [[4.0, 4.0, 4.0]]]])
"""[1, 2, 1, 3]: everywhere of length 5."""


class Halves:
    """Guesses half of what it is given."""

    def __init__(self) -> None:
        self.given: list[Tensor] = []

    def __call__(self, x: Tensor, sigma: float) -> Tensor:
        self.given.append(x)
        return x / 2

    def apart(self, x: Tensor, sigma: float) -> tuple[Tensor, Tensor]:
        return self(x, sigma), x / 4


def test_after_the_model_its_guess_is_blended() -> None:
    x, model = torch.full((1, 2, 1, 3), 8.0), Halves()
    after = After(model, Plain(OLD, MASK))

    assert after(x, 2.0)[0, 0, 0].tolist() == [3.0, 3.25, 4.0]
    assert (model.given[0] == 8.0).all()
    guess, without = after.apart(x, 2.0)
    assert guess[0, 0, 0].tolist() == [3.0, 3.25, 4.0]
    assert (without == 2.0).all()


def test_before_the_model_old_latents_go_in_without_noise_and_their_noise_is_taken_off_x() -> None:
    """In variance-preserving terms: eps is that of the blend, x0 follows from x."""
    x, model, sigma = torch.full((1, 2, 1, 3), 8.0), Halves(), 2.0
    spread = math.hypot(sigma, 1.0)

    guess = Before(model, Plain(OLD, MASK))(x, sigma)

    given = model.given[0] / spread
    assert torch.allclose(given[0, 0, 0], torch.tensor([3.0, 8 / spread * 0.25 + 3 * 0.75, 8 / spread]))
    eps = (model.given[0] - model.given[0] / 2) / sigma
    assert torch.allclose(guess, x - sigma * eps)


def test_where_all_is_drawn_both_rules_are_the_model_itself() -> None:
    x, everywhere = torch.randn(1, 2, 1, 3), Plain(OLD, torch.ones(1, 1, 1, 3))

    for rule in (After, Before):
        assert torch.allclose(rule(Halves(), everywhere)(x, 3.0), x / 2, atol=1e-5)


def test_a_soft_blend_keeps_the_length_of_what_it_mixes() -> None:
    """Old and new of length 5 at right angles: the plain mean is shorter, the soft one is not."""
    new = torch.tensor([[[[-4.0, -4.0, -4.0]], [[3.0, 3.0, 3.0]]]])

    mixed = SoftBlend(OLD, MASK, Soft(preservation=1.0))(new, 1.0)

    assert torch.linalg.vector_norm(mixed, dim=1).flatten().tolist() == pytest.approx([5, 5, 5], abs=1e-3)
    assert torch.allclose(mixed[..., 0], OLD[..., 0], atol=1e-4)
    assert torch.allclose(mixed[..., 2], new[..., 2], atol=1e-4)


def test_a_soft_blends_length_is_the_power_mean() -> None:
    new = OLD * 2  # of length 10

    mixed = SoftBlend(OLD, MASK, Soft(preservation=1.0, contrast_boost=4.0))(new, 1.0)

    wanted = (0.75 * 5**4 + 0.25 * 10**4) ** 0.25
    assert torch.linalg.vector_norm(mixed, dim=1)[0, 0, 1].item() == pytest.approx(wanted, rel=1e-4)


@pytest.mark.parametrize(("sigma", "share"), [(14.6, 0.25 ** (14.6**1.0 * 0.5)), (2.0, 0.25), (0.02, 0.25**0.01)])
def test_the_noisier_the_firmer_a_soft_blend_keeps_the_old(sigma: float, share: float) -> None:
    old, new = torch.zeros(1, 2, 1, 3), OLD

    mixed = SoftBlend(old, MASK, Soft(contrast_boost=1.0))(new, sigma)

    assert torch.linalg.vector_norm(mixed, dim=1)[0, 0, 1].item() == pytest.approx(5 * share, abs=1e-4)


def test_what_did_not_change_is_not_shown_and_what_changed_is() -> None:
    old = torch.zeros(4, 16, 16)
    new = old.clone()
    new[:, :, 8:] = 3.0

    mask = np.asarray(changed(old, new, torch.ones(16, 16), Soft(), (128, 128)), int)

    assert mask.shape == (128, 128)
    assert (mask[:, :24] == 0).all()
    assert (mask[:, 104:] > 250).all()


def test_at_the_threshold_half_is_shown() -> None:
    """A distance of `threshold` everywhere: 1 / (1 + 1), and half stays half in the smooth step."""
    old = torch.zeros(1, 16, 16)

    mask = np.asarray(changed(old, old + 0.5, torch.ones(16, 16), Soft(difference_threshold=0.5), (128, 128)), int)

    assert np.abs(mask - 127).max() <= 1


@pytest.mark.parametrize("soft", [Soft(difference_threshold=0), Soft(mask_influence=1, preservation=0)])
def test_without_a_threshold_the_least_change_is_shown(soft: Soft) -> None:
    old = torch.zeros(1, 16, 16)

    assert (np.asarray(changed(old, old, torch.ones(16, 16), soft, (16, 16))) == 0).all()
    assert (np.asarray(changed(old, old + 0.01, torch.ones(16, 16), soft, (16, 16))) == 255).all()


def test_the_kernel_is_1_in_its_middle_and_would_be_0_one_place_beyond_its_edge() -> None:
    kernel, edge = _kernel(), math.exp(-9 / 2.25)

    assert kernel.shape == (5, 5)
    assert kernel[2, 2] == 1
    assert kernel[2, 4] == pytest.approx((math.exp(-4 / 2.25) - edge) / (1 - edge))
    assert kernel[0, 0] == pytest.approx((math.exp(-8 / 2.25) - edge) / (1 - edge))


def test_percentile_means_are_those_of_a_slow_count() -> None:
    values = np.random.default_rng(0).random((6, 7))

    for low, high in ((0.9, 1.0), (0.25, 0.75)):
        ours = _percentile_mean(values, low, high)
        assert ours == pytest.approx(np.array([[_slow(values, y, x, low, high) for x in range(7)] for y in range(6)]))


def _slow(values: np.ndarray, y: int, x: int, low: float, high: float) -> float:  # type: ignore[type-arg]
    """One place: its neighbours as bars of their weight side by side, in order of value."""
    kernel = _kernel()
    near = sorted(
        (values[y + dy, x + dx], kernel[dy + 2, dx + 2])
        for dy in range(-2, 3)
        for dx in range(-2, 3)
        if 0 <= y + dy < values.shape[0] and 0 <= x + dx < values.shape[1]
    )
    total = sum(weight for _, weight in near)
    start, end = total * low, total * high
    if end - start < 1:
        start, end = (start + end) / 2 - 0.5, (start + end) / 2 + 0.5
        if end > total:
            start, end = total - 1, total
    at, found, weighed = 0.0, 0.0, 0.0
    for value, weight in near:
        overlap = max(min(end, at + weight) - max(start, at), 0.0)
        found, weighed, at = found + value * overlap, weighed + overlap, at + weight
    return float(found / weighed)
