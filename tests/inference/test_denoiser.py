from collections.abc import Mapping

import pytest
import torch
from torch import Tensor, nn

from inference.conditioning.encoding import Encoding
from inference.conditioning.timeline import Guide, Timeline
from inference.denoiser import Denoiser
from inference.objectives import PREDICTIONS, objective
from inference.prompt.schedule import Span
from inference.schedules import SigmaTable
from modelhub.errors import BadValue
from modelhub.families import family
from tests.denoisers import denoiser_of
from tests.tiny import WIDTH

TABLE = SigmaTable(family("sd1").noise)


class FakeUNet(nn.Module):
    """Answers with the first number of each context, and remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[Tensor, Tensor, Tensor]] = []

    def forward(self, x: Tensor, timestep: Tensor, context: Tensor, *, return_dict: bool) -> tuple[Tensor]:
        self.asked.append((x, timestep, context))
        return (torch.ones_like(x) * context[:, 0, 0].view(-1, 1, 1, 1),)


def denoiser(unet: nn.Module, *, prediction: str = "epsilon", guidance: float = 7.0, images: int = 2) -> Denoiser:
    cond, uncond = torch.full((images, 77, 4), 3.0), torch.full((images, 77, 4), 2.0)
    return denoiser_of(unet, TABLE, cond, uncond, guidance, prediction=prediction)


def test_epsilon_takes_the_noise_off() -> None:
    """What the network says of x0 + sigma * noise, when it knows the noise, is x0."""
    x0, noise, sigma = torch.randn(2, 4, 8, 8), torch.randn(2, 4, 8, 8), 5.0

    torch.testing.assert_close(objective("epsilon", TABLE).x0(x0 + sigma * noise, noise, sigma), x0)


def test_v_is_turned_into_x0() -> None:
    """v = sqrt(abar) noise - sqrt(1 - abar) x0, with sigma^2 = (1 - abar) / abar (Salimans and Ho 2022)."""
    x0, noise, sigma = torch.randn(2, 4, 8, 8), torch.randn(2, 4, 8, 8), 5.0
    abar = 1 / (1 + sigma**2)
    v = abar**0.5 * noise - (1 - abar) ** 0.5 * x0

    torch.testing.assert_close(objective("v", TABLE).x0(x0 + sigma * noise, v, sigma), x0)


@pytest.mark.parametrize("prediction", PREDICTIONS)
def test_guidance_leans_away_from_the_negative_prompt(prediction: str) -> None:
    x, sigma = torch.randn(2, 4, 8, 8), 2.0
    asked = objective(prediction, TABLE)
    with_prompt = asked.x0(x, torch.full_like(x, 3.0), sigma)
    without = asked.x0(x, torch.full_like(x, 2.0), sigma)

    guided = denoiser(FakeUNet(), prediction=prediction, guidance=7.0)(x, sigma)

    torch.testing.assert_close(guided, without + 7.0 * (with_prompt - without))


def test_guidance_0_is_the_negative_prompt_alone() -> None:
    x = torch.randn(2, 4, 8, 8)

    torch.testing.assert_close(denoiser(FakeUNet(), guidance=0.0)(x, 2.0), x - 2.0 * 2.0)


def test_guidance_1_does_not_evaluate_the_negative_prompt() -> None:
    unet, x = FakeUNet(), torch.randn(2, 4, 8, 8)

    alone = denoiser(unet, guidance=1.0)(x, 2.0)

    torch.testing.assert_close(alone, x - 2.0 * 3.0)
    ((_, _, context),) = unet.asked
    assert (context == 3.0).all()
    assert len(context) == 2


def test_one_call_runs_the_network_once_on_scaled_latents_at_a_fractional_timestep() -> None:
    unet, x, sigma = FakeUNet(), torch.randn(2, 4, 8, 8), TABLE.sigma(500.25)

    denoiser(unet)(x, sigma)

    ((scaled, timestep, context),) = unet.asked
    torch.testing.assert_close(scaled, torch.cat([x, x]) / (sigma**2 + 1) ** 0.5)
    torch.testing.assert_close(timestep, torch.full((4,), 500.25))
    assert len(context) == 4


def test_two_images_are_denoised_as_each_is_alone(models: Mapping[str, nn.Module]) -> None:
    x, cond, uncond = torch.randn(2, 4, 8, 8), torch.randn(2, 77, WIDTH), torch.randn(2, 77, WIDTH)

    def guess(images: slice) -> Tensor:
        return denoiser_of(models["unet"], TABLE, cond[images], uncond[images], 7.0)(x[images], 3.0)

    singles = torch.cat([guess(slice(0, 1)), guess(slice(1, 2))])
    torch.testing.assert_close(guess(slice(2)), singles, rtol=1e-4, atol=1e-4)


def test_an_unknown_prediction_type_is_refused_with_the_known_ones() -> None:
    with pytest.raises(BadValue, match=r"'x0' is no prediction type .*epsilon"):
        denoiser(FakeUNet(), prediction="x0")


def says(value: float, tokens: int = 77) -> Encoding:
    """Encodings to which `FakeUNet` answers with a number."""
    return Encoding(torch.full((1, tokens, 4), value))


def test_prompts_that_are_followed_at_once_each_lean_away_from_the_negative_prompt() -> None:
    """D = D_u + sum of w_i cfg (D_i - D_u) (Liu et al. 2022)."""
    x, sigma = torch.randn(2, 4, 8, 8), 2.0
    guides = (Guide(Timeline.fixed(says(3.0)), 1.0), Guide(Timeline.fixed(says(5.0)), -0.5))
    unet = FakeUNet()

    guided = denoiser_of(unet, TABLE, guides, Timeline.fixed(says(2.0)), 7.0)(x, sigma)

    torch.testing.assert_close(guided, x - sigma * (2.0 + 7.0 * (3.0 - 2.0) - 3.5 * (5.0 - 2.0)))
    assert len(unet.asked) == 1


def test_where_guidance_comes_to_1_the_negative_prompt_is_not_evaluated() -> None:
    x, unet = torch.randn(2, 4, 8, 8), FakeUNet()
    guides = (Guide(Timeline.fixed(says(3.0)), 0.75), Guide(Timeline.fixed(says(5.0)), 0.25))

    guided = denoiser_of(unet, TABLE, guides, Timeline.fixed(says(2.0)), 1.0)(x, 2.0)

    torch.testing.assert_close(guided, x - 2.0 * 3.5)
    assert len(unet.asked[0][0]) == 4


def test_prompts_change_from_call_to_call_on_both_sides() -> None:
    x = torch.zeros(1, 4, 8, 8)
    cond = Timeline((Span(1, "a"), Span(3, "b")), (says(3.0), says(4.0)))
    uncond = Timeline((Span(2, "c"), Span(3, "d")), (says(1.0), says(2.0)))
    guess = denoiser_of(FakeUNet(), TABLE, (Guide(cond, 1.0),), uncond, 2.0)

    seen = [-guess(x, 1.0).mean().item() for _ in range(4)]

    assert seen == [5.0, 5.0, 7.0, 6.0]


def test_a_negative_prompt_of_another_length_takes_a_run_of_its_own() -> None:
    x, unet = torch.randn(2, 4, 8, 8), FakeUNet()

    guided = denoiser_of(unet, TABLE, says(3.0, tokens=154).tokens, says(2.0).tokens, 7.0)(x, 2.0)

    assert [tuple(context.shape) for _, _, context in unet.asked] == [(2, 77, 4), (2, 154, 4)]
    torch.testing.assert_close(guided, x - 2.0 * (2.0 + 7.0))


def test_the_negative_prompts_guess_is_given_apart() -> None:
    x = torch.randn(2, 4, 8, 8)

    for guidance in (1.0, 7.0):
        guided, without = denoiser(FakeUNet(), guidance=guidance).apart(x, 2.0)

        torch.testing.assert_close(guided, x - 2.0 * (2.0 + guidance))
        torch.testing.assert_close(without, x - 2.0 * 2.0)


# Doing without the negative prompt


def guesses(unet: nn.Module, *, sigma: float, calls: int = 4, **fields: float) -> list[float]:
    plain = denoiser(unet, images=1)
    asked = Denoiser(plain.model, plain.guides, plain.negative, plain.guidance, **fields)  # type: ignore[arg-type]
    return [-asked(torch.zeros(1, 4, 8, 8), sigma).mean().item() / sigma for _ in range(calls)]


def test_below_a_noise_level_every_other_call_does_without_the_negative_prompt() -> None:
    below, above = FakeUNet(), FakeUNet()

    assert guesses(below, sigma=0.9, unguided_below=1.0) == pytest.approx([9.0, 3.0, 9.0, 3.0])
    assert guesses(above, sigma=1.0, unguided_below=1.0) == pytest.approx([9.0] * 4)
    assert [len(x) for x, _, _ in below.asked] == [2, 1, 2, 1]


def test_without_the_negative_prompt_the_others_lean_away_from_the_first() -> None:
    """D = D_1 + sum over i > 1 of w_i (D_i - D_1): webui's combination at a CFG scale of 1."""
    guides = (Guide(Timeline.fixed(says(3.0)), 1.0), Guide(Timeline.fixed(says(5.0)), -0.5))
    plain = denoiser_of(FakeUNet(), TABLE, guides, Timeline.fixed(says(2.0)), 7.0)
    asked = Denoiser(plain.model, plain.guides, plain.negative, 7.0, unguided_below=9.0)
    x = torch.zeros(1, 4, 8, 8)
    asked(x, 1.0)

    guided, without = asked.apart(x, 1.0)

    torch.testing.assert_close(guided, x - (3.0 - 0.5 * (5.0 - 3.0)))
    torch.testing.assert_close(without, x - 3.0)


def test_what_is_said_again_is_the_very_same_tensor() -> None:
    cond = Timeline((Span(1, "a"), Span(3, "b")), (says(3.0), says(4.0)))
    unet, x = FakeUNet(), torch.zeros(1, 4, 8, 8)
    asked = denoiser_of(unet, TABLE, (Guide(cond, 1.0),), Timeline.fixed(says(2.0)), 7.0)

    for _ in range(4):
        asked(x, 1.0)

    first, second, third, fourth = (context for _, _, context in unet.asked)
    assert first is second
    assert third is fourth
    assert first is not third
