"""How much a sample counts, against the papers' formulas and sd-scripts' way of writing them."""

import pytest
import torch

from trainers.objective.weights import snr_weights
from trainers.recipe import LossOptions

SNR = torch.tensor([4.0, 16 / 9, 0.25])
EVERY = torch.logspace(-3, 3.2, 50, dtype=torch.float64)
PREDICTIONS = ("epsilon", "v")


def weights(prediction: str, snr: torch.Tensor = SNR, **options: object) -> torch.Tensor:
    return snr_weights(snr, prediction, LossOptions.model_validate(options))


@pytest.mark.parametrize(
    ("prediction", "expected"), [("epsilon", [1 / 4, 9 / 16, 1.0]), ("v", [1 / 5, 9 / 25, 0.25 / 1.25])]
)
def test_min_snr_caps_the_weight_of_nearly_clean_samples(prediction: str, expected: list[float]) -> None:
    assert weights(prediction, min_snr_gamma=1).tolist() == pytest.approx(expected)


@pytest.mark.parametrize("gamma", [1.0, 5.0, 8.0])
@pytest.mark.parametrize("prediction", PREDICTIONS)
def test_min_snr_is_sd_scripts(prediction: str, gamma: float) -> None:
    capped = torch.minimum(EVERY, torch.full_like(EVERY, gamma))
    wanted = capped / (EVERY + 1) if prediction == "v" else capped / EVERY

    torch.testing.assert_close(weights(prediction, EVERY, min_snr_gamma=gamma), wanted, rtol=1e-6, atol=0)


@pytest.mark.parametrize(("prediction", "expected"), [("epsilon", 1.0), ("v", 0.0)])
def test_min_snr_is_a_number_where_nothing_is_left_of_the_picture(prediction: str, expected: float) -> None:
    assert weights(prediction, torch.zeros(1)).tolist() == [expected]


def test_a_gamma_above_every_snr_leaves_noise_as_it_is() -> None:
    assert weights("epsilon", min_snr_gamma=5).tolist() == [1, 1, 1]


@pytest.mark.parametrize("prediction", PREDICTIONS)
def test_without_gamma_all_weigh_alike(prediction: str) -> None:
    assert weights(prediction, min_snr_gamma=0).tolist() == [1, 1, 1]


def test_debiased_weighs_noise_by_the_root_of_what_is_noise() -> None:
    assert weights("epsilon", debiased=True).tolist() == pytest.approx([0.5, 0.75, 2.0])


def test_debiased_knows_no_ratio_above_a_thousand() -> None:
    assert weights("epsilon", torch.tensor([1e6]), debiased=True).tolist() == pytest.approx([1000**-0.5])
    assert weights("v", torch.tensor([1e6]), debiased=True).tolist() == pytest.approx([1 / 1001])


def test_debiased_weighs_v_as_the_picture_itself() -> None:
    assert weights("v", debiased=True).tolist() == pytest.approx([0.2, 9 / 25, 0.8])


def test_debiased_stands_in_place_of_min_snr() -> None:
    assert (weights("epsilon", debiased=True, min_snr_gamma=1) == weights("epsilon", debiased=True)).all()


def test_v_scaled_like_noise_is_the_noises_loss() -> None:
    """An error d of v is an error sqrt(abar) d of the noise that it says; snr / (snr + 1) is abar."""
    abar = EVERY / (EVERY + 1)

    torch.testing.assert_close(weights("v", EVERY, min_snr_gamma=0, scale_v_like_noise=True), abar, rtol=1e-6, atol=0)


def test_scaled_v_is_capped_too() -> None:
    assert weights("v", min_snr_gamma=1, scale_v_like_noise=True).tolist() == pytest.approx(
        [1 / 5 * 4 / 5, 9 / 25 * 16 / 25, 0.2 * 0.2]
    )


def test_a_flows_samples_weigh_alike() -> None:
    assert weights("flow").tolist() == [1, 1, 1]
