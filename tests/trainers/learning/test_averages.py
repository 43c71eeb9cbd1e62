"""Running means against their formula."""

import torch

from trainers.learning.averages import Averages
from trainers.recipe import ComputeOptions


def test_the_mean_follows_quickly_at_first_and_then_at_its_decay() -> None:
    one = torch.tensor([0.0])
    averages = Averages([one], ComputeOptions(ema=0.3))

    expected, mean = [], 0.0
    for step in range(1, 6):
        one.fill_(step)
        averages.update(step)
        decay = min(0.3, (1 + step) / (10 + step))
        mean = decay * mean + (1 - decay) * step
        expected.append(mean)

    assert torch.allclose(averages.values[0], torch.tensor([mean]))
    assert expected[0] == (1 - 2 / 11) * 1


def test_it_may_follow_every_few_steps_only() -> None:
    one = torch.tensor([1.0])
    averages = Averages([one], ComputeOptions(ema=0.3, ema_every=2))

    one.fill_(9.0)
    averages.update(1)
    assert averages.values[0].item() == 1.0
    averages.update(2)
    assert averages.values[0].item() > 1.0
