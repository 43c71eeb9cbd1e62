"""What the denoiser is asked for, against numbers worked out by hand and against how it is asked when drawing."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from inference import objectives as drawing
from inference.levels import FlowTime, SigmaTable
from modelhub.errors import BadValue
from modelhub.families import family
from trainers.objective import TARGETS, Objective
from trainers.recipe import LossOptions

SIGMAS = torch.tensor([0.5, 0.75, 2.0])
"""abar = 1 / (1 + sigma^2): 0.8, 0.64 and 0.2; snr = 1 / sigma^2: 4, 16/9 and 0.25."""
LATENTS = torch.full((2, 4, 2, 2), 10.0)
NOISE = torch.full((2, 4, 2, 2), -5.0)
TIMES = torch.tensor([1, 2])
PLAIN = LossOptions(min_snr_gamma=0)


def objective(prediction: str = "epsilon", loss: LossOptions = PLAIN) -> Objective:
    return Objective(prediction, SIGMAS, loss)


def test_noised_latents_are_shares_that_square_to_one() -> None:
    noised = objective().noised(LATENTS, NOISE, TIMES)

    first, second = noised[:, 0, 0, 0].tolist()
    assert first == pytest.approx(0.8 * 10 + 0.6 * -5)
    assert second == pytest.approx(0.2**0.5 * 10 + 0.8**0.5 * -5)
    assert (noised == noised[:, :1, :1, :1]).all()


def test_a_flow_goes_straight_from_picture_to_noise() -> None:
    times = torch.tensor([0.75, 3.0])  # of three

    noised = objective("flow").noised(LATENTS, NOISE, times)
    assert noised[:, 0, 0, 0].tolist() == pytest.approx([0.75 * 10 + 0.25 * -5, -5])
    assert (objective("flow").target(LATENTS, NOISE, times) == -15).all()


def test_epsilon_asks_for_the_noise() -> None:
    assert objective().losses(NOISE, LATENTS, NOISE, TIMES).tolist() == [0, 0]
    assert objective().losses(NOISE + 3, LATENTS, NOISE, TIMES).tolist() == pytest.approx([9, 9])


def test_v_asks_for_the_velocity() -> None:
    velocity = torch.stack(
        [torch.full((4, 2, 2), 0.8 * -5 - 0.6 * 10), torch.full((4, 2, 2), 0.2**0.5 * -5 - 0.8**0.5 * 10)]
    )

    assert objective("v").losses(velocity, LATENTS, NOISE, TIMES).tolist() == pytest.approx([0, 0], abs=1e-9)
    assert objective("v").losses(velocity + 3, LATENTS, NOISE, TIMES).tolist() == pytest.approx([9, 9])


def test_another_target_stands_in_for_the_noise() -> None:
    answers = torch.full_like(NOISE, 1.5)

    assert objective().losses(answers + 2, LATENTS, NOISE, TIMES, target=answers).tolist() == [4, 4]


def test_the_loss_weighs_each_sample_by_its_own_timestep() -> None:
    output = NOISE.clone()
    output[0] += 1
    output[1] += 2

    losses = objective(loss=LossOptions(min_snr_gamma=1)).losses(output, LATENTS, NOISE, TIMES)
    assert losses.tolist() == pytest.approx([9 / 16 * 1, 4])


def test_a_mask_counts_before_the_mean_and_the_weight_after_it() -> None:
    output, masks = NOISE.clone(), torch.zeros(2, 1, 2, 2)
    output[:, :, 0] += 3
    output[:, :, 1] += 100
    masks[:, :, 0] = 1

    losses = objective(loss=LossOptions(min_snr_gamma=1)).losses(output, LATENTS, NOISE, TIMES, masks=masks)
    assert losses.tolist() == pytest.approx([9 / 16 * 9, 9])


def test_the_loss_is_worked_out_in_float32() -> None:
    output = (NOISE + 300).half()

    assert objective().losses(output, LATENTS, NOISE, TIMES).tolist() == pytest.approx([90_000, 90_000])


def test_an_unknown_prediction_is_refused_naming_the_known_ones() -> None:
    with pytest.raises(BadValue, match="'edm'") as refused:
        objective("edm")
    assert refused.value.mend == f"choose one of {', '.join(TARGETS)}"


@pytest.mark.parametrize(
    ("prediction", "loss", "entry"),
    [
        ("epsilon", LossOptions(scale_v_like_noise=True), "loss.scale_v_like_noise"),
        ("flow", LossOptions(debiased=True), "loss.debiased"),
    ],
)
def test_an_option_that_means_nothing_for_a_base_is_refused(prediction: str, loss: LossOptions, entry: str) -> None:
    with pytest.raises(BadValue, match=f"predicts {prediction}") as caught:
        objective(prediction, loss)
    assert entry in str(caught.value.mend)


class TestZeroTerminalSnr:
    """The table of inference ends at a floor; training goes to the very end."""

    TABLE = SigmaTable(family("sd1").noise, zero_snr=True)
    LAST = torch.tensor([999])
    OBJECTIVE = Objective("v", torch.tensor(TABLE.sigmas), LossOptions(), zero_snr=True)

    def test_the_last_input_is_nothing_but_noise_and_v_is_the_picture(self) -> None:
        assert (self.OBJECTIVE.noised(LATENTS, NOISE, self.LAST) == NOISE).all()
        assert (self.OBJECTIVE.target(LATENTS, NOISE, self.LAST) == -LATENTS).all()

    def test_its_ratio_is_that_of_the_changed_table(self) -> None:
        """sqrt(abar) as diffusers' `rescale_zero_terminal_snr` has it, from the table before."""
        roots = (1 / (1 + torch.tensor(SigmaTable(family("sd1").noise).sigmas).double() ** 2)).sqrt()
        changed = (roots - roots[-1]) * roots[0] / (roots[0] - roots[-1])
        snr = changed**2 / (1 - changed**2)

        weights = self.OBJECTIVE.weights(torch.arange(1000))
        torch.testing.assert_close(weights.double(), snr.clamp(max=5) / (snr + 1), rtol=1e-5, atol=1e-7)

    @pytest.mark.parametrize(
        "loss",
        [
            LossOptions(),
            LossOptions(min_snr_gamma=0),
            LossOptions(debiased=True),
            LossOptions(scale_v_like_noise=True),
            *(
                LossOptions(kind="huber", huber_schedule=schedule)  # type: ignore[arg-type]
                for schedule in ("constant", "exponential", "snr")
            ),
        ],
    )
    def test_every_loss_and_its_gradient_is_a_number_there(self, loss: LossOptions) -> None:
        output = torch.randn(1, 4, 2, 2, requires_grad=True)
        trained = Objective("v", torch.tensor(self.TABLE.sigmas), loss, zero_snr=True)

        losses = trained.losses(output, LATENTS[:1], NOISE[:1], self.LAST)
        losses.sum().backward()
        assert losses.isfinite().all()
        assert output.grad is not None
        assert output.grad.isfinite().all()

    @pytest.mark.parametrize("prediction", ["epsilon", "flow"])
    def test_what_does_not_predict_v_is_refused(self, prediction: str) -> None:
        with pytest.raises(BadValue, match="needs a base that predicts v"):
            Objective(prediction, SIGMAS, zero_snr=True)


@pytest.mark.parametrize("zero_snr", [False, True])
def test_noised_latents_velocities_and_weights_are_diffusers(zero_snr: bool) -> None:
    from diffusers import DDPMScheduler
    from diffusers.training_utils import compute_snr

    theirs = DDPMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", prediction_type="v_prediction",
        rescale_betas_zero_snr=zero_snr,
    )  # fmt: skip
    table = SigmaTable(family("sd1").noise, zero_snr=zero_snr)
    ours = Objective("v", torch.tensor(table.sigmas), LossOptions(), zero_snr=zero_snr)
    times = torch.arange(1000)
    x0, noise = torch.randn(2, 1000, 4, 2, 2, generator=torch.Generator().manual_seed(0)).unbind()

    close = {"rtol": 1e-5, "atol": 1e-5}
    torch.testing.assert_close(ours.noised(x0, noise, times), theirs.add_noise(x0, noise, times), **close)
    torch.testing.assert_close(ours.target(x0, noise, times), theirs.get_velocity(x0, noise, times), **close)
    snr = compute_snr(theirs, times)
    torch.testing.assert_close(ours.weights(times), snr.clamp(max=5) / (snr + 1), **close)


@pytest.mark.parametrize("timestep", [0, 500, 999])
@pytest.mark.parametrize("prediction", ["epsilon", "v"])
def test_a_model_that_meets_its_target_draws_the_latents_back(prediction: str, timestep: int) -> None:
    """Training and drawing agree: x0 comes out of the sampler's formula when the target goes in."""
    table = SigmaTable(family("sd1").noise)
    sigma = table.sigmas[timestep]
    signal = (1 + sigma**2) ** -0.5

    found, x0 = _drawn_back(prediction, table, torch.tensor([timestep]), sigma, signal)
    torch.testing.assert_close(found, x0, rtol=0, atol=2e-4)


@pytest.mark.parametrize("time", [1.0, 400.0, 990.0])
def test_so_does_a_flow(time: float) -> None:
    share = time / 1000

    found, x0 = _drawn_back("flow", SigmaTable(FlowTime()), torch.tensor([time]), share / (1 - share), 1 - share)
    torch.testing.assert_close(found, x0, rtol=0, atol=2e-4)


def _drawn_back(
    prediction: str, table: SigmaTable, timesteps: Tensor, sigma: float, signal: float
) -> tuple[Tensor, Tensor]:
    """What the sampler's formula makes of a perfect answer, whose x is x0 + sigma * noise; and x0."""
    trained = Objective(prediction, torch.tensor(table.sigmas))
    chance = torch.Generator().manual_seed(0)
    x0, noise = (torch.randn(1, 4, 8, 8, generator=chance) for _ in range(2))
    answer = trained.target(x0, noise, timesteps)
    seen = trained.noised(x0, noise, timesteps)
    return drawing.objective(prediction, table).x0(seen / signal, answer, sigma), x0


class TestGradients:
    """Autograd's derivative of each loss by the answer, against the formula's own, worked out on paper."""

    C = 0.1

    @pytest.mark.parametrize("prediction", TARGETS)
    @pytest.mark.parametrize("masked", [False, True])
    @pytest.mark.parametrize("kind", ["l2", "l1", "huber", "smooth_l1"])
    def test_they_are_the_formulas(self, kind: str, masked: bool, prediction: str) -> None:
        loss = LossOptions(kind=kind, huber_schedule="constant", unmasked_weight=0.25, min_snr_gamma=1)  # type: ignore[arg-type]
        trained = objective(prediction, loss)
        chance = torch.Generator().manual_seed(3)
        x0, noise, answer = (torch.randn(2, 4, 2, 2, generator=chance) for _ in range(3))
        masks = torch.rand(2, 1, 2, 2, generator=chance) if masked else None
        answer.requires_grad_()

        trained.losses(answer, x0, noise, TIMES, masks=masks).sum().backward()

        apart = (answer.detach() - trained.target(x0, noise, TIMES)).double()
        shares = torch.ones(2, 1, 2, 2) if masks is None else masks.clamp(min=0.25)
        shares = shares / shares.mean((1, 2, 3), keepdim=True)
        wanted = self._slopes(kind)(apart) * shares * trained.weights(TIMES)[:, None, None, None] / apart[0].numel()
        torch.testing.assert_close(answer.grad, wanted.float(), rtol=1e-6, atol=1e-6)

    def _slopes(self, kind: str) -> Callable[[Tensor], Tensor]:
        """d loss / d difference."""
        return {
            "l2": lambda d: 2 * d,
            "l1": torch.sign,
            "huber": lambda d: 2 * self.C * d / (d**2 + self.C**2).sqrt(),
            "smooth_l1": lambda d: 2 * d / (d**2 + self.C**2).sqrt(),
        }[kind]
