"""Guidance by a picture, with a model of which every answer is known."""

from typing import Any

import pytest
import torch
from torch import Tensor

from inference.conditioning.encoding import Encoding
from inference.conditioning.timeline import Timeline
from inference.model import Asked
from inference.over.instruct import Instructed


class Sums:
    """x0 is what the row was told: the mean of its encoding plus ten times that of the picture it sees."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []

    def __call__(self, asked: Asked) -> Tensor:
        self.asked.append(asked)
        assert asked.beside is not None
        told = asked.said.tokens.mean(dim=(1, 2)) + 10 * asked.beside.mean(dim=(1, 2, 3))
        return told[:, None, None, None].expand_as(asked.x)


def said(value: float, tokens: int = 77) -> Timeline:
    return Timeline.fixed(Encoding(torch.full((1, tokens, 4), value)))


@pytest.mark.parametrize("tokens", [77, 154])
def test_the_guess_leads_from_nothing_to_the_picture_and_on_to_the_prompt(tokens: int) -> None:
    """webui: D = D_u + cfg (D_c - D_i) + image cfg (D_i - D_u); here D_u = 1, D_i = 1 + 20, D_c = 5 + 20."""
    model: Any = Sums()
    denoiser = Instructed(model, said(5.0, tokens), said(1.0), 7.0, 1.5, torch.full((1, 4, 8, 8), 2.0))

    guess, without = denoiser.apart(torch.zeros(2, 4, 8, 8), 3.0)

    assert guess.unique().tolist() == [1 + 7 * (25 - 21) + 1.5 * (21 - 1)]
    assert without.unique().tolist() == [1.0]
    assert [asked.negative for asked in model.asked] == ([4] if tokens == 77 else [4, 0])


def test_calls_are_counted() -> None:
    model: Any = Sums()
    denoiser = Instructed(model, said(5.0), said(1.0), 7.0, 1.5, torch.zeros(1, 4, 8, 8))

    for _ in range(3):
        denoiser(torch.zeros(1, 4, 8, 8), 1.0)

    assert [asked.call for asked in model.asked] == [0, 1, 2]
