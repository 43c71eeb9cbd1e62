"""What goes into the UNet, and what its answers cost, with a UNet and texts that can be read."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from inference.conditioning.encoding import Encoding
from trainers.learning.batch import Batch
from trainers.learning.forward import Forward
from trainers.objective import Objective
from trainers.recipe import LossOptions

OBJECTIVE = Objective("epsilon", torch.tensor([0.5, 1.0, 2.0]), LossOptions(min_snr_gamma=0))


class Unet(nn.Module):
    """Answers with a number that can be learned, and remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.learned = nn.Parameter(torch.zeros(()))
        self.asked: list[dict[str, Any]] = []

    def forward(self, x: Tensor, timesteps: Tensor, tokens: Tensor, **named: Any) -> tuple[Tensor]:
        self.asked.append({"x": x, "tokens": tokens, "grad": torch.is_grad_enabled(), **named})
        return (torch.zeros_like(x) + self.learned,)


class Texts:
    """Two tokens for each letter of the longest caption, 77 at least."""

    def __init__(self, *, pooled: bool = False) -> None:
        self._pooled = pooled

    def tokens(self, caption: str) -> int:
        return max(77, 2 * len(caption))

    def encode(self, captions: Sequence[str]) -> Encoding:
        tokens = torch.ones(len(captions), max(map(self.tokens, captions)), 3)
        return Encoding(tokens, torch.ones(len(captions), 5) if self._pooled else None)


def batch(**entries: Any) -> Batch:
    usual = {"latents": torch.ones(2, 4, 8, 8), "noise": torch.full((2, 4, 8, 8), 2.0), "captions": ["a", "b"]}
    return Batch(**{**usual, "timesteps": torch.tensor([1, 1]), **entries})


def forward(unet: Unet, *, texts: Texts | None = None, at_rest: Any = nullcontext) -> Forward:
    return Forward(unet, texts or Texts(), OBJECTIVE, at_rest=at_rest)  # type: ignore[arg-type]


def test_a_bare_batch_costs_what_the_objective_says() -> None:
    unet = Unet()

    losses = forward(unet)(batch())

    assert losses.tolist() == [4.0, 4.0]  # (0 - 2)^2
    assert torch.allclose(unet.asked[0]["x"], torch.tensor(3 * 0.5**0.5))  # both shares are sqrt(1/2)
    assert unet.asked[0].keys() == {"x", "tokens", "grad", "return_dict"}


def test_what_goes_in_may_be_other_noise_than_what_is_asked_for() -> None:
    unet = Unet()

    losses = forward(unet)(batch(given=torch.zeros(2, 4, 8, 8)))

    assert losses.tolist() == [4.0, 4.0]
    assert torch.allclose(unet.asked[0]["x"], torch.tensor(0.5**0.5))


def test_losses_are_weighed_and_masked() -> None:
    masks = torch.zeros(2, 1, 8, 8)
    masks[0] = 1

    losses = forward(Unet())(batch(weights=torch.tensor([0.5, 1.0]), masks=masks))

    assert losses.tolist() == [2.0, 0.0]


def test_a_large_unet_is_told_the_text_as_a_whole_and_the_sizes() -> None:
    unet, sizes = Unet(), torch.ones(2, 6)

    forward(unet, texts=Texts(pooled=True))(batch(sizes=sizes))

    added = unet.asked[0]["added_cond_kwargs"]
    assert added["text_embeds"].shape == (2, 5)
    assert added["time_ids"] is sizes


def test_of_captions_of_unequal_length_only_their_own_tokens_are_read() -> None:
    unet = Unet()

    forward(unet)(batch(captions=["a", "b" * 77]))
    forward(unet)(batch(captions=["c" * 77, "b" * 77]))

    own = unet.asked[0]["encoder_attention_mask"]
    assert own.sum(1).tolist() == [77, 154]
    assert own[0, :77].all()
    assert "encoder_attention_mask" not in unet.asked[1]


def test_class_pictures_are_to_be_answered_as_the_untrained_model_answers_them() -> None:
    unet = Unet()
    with torch.no_grad():
        unet.learned.fill_(1.0)

    @contextmanager
    def at_rest() -> Iterator[None]:
        kept = unet.learned.data
        unet.learned.data = torch.tensor(0.25)
        yield
        unet.learned.data = kept

    losses = forward(unet, at_rest=at_rest)(batch(prior=torch.tensor([False, True])))
    losses.sum().backward()

    assert losses.tolist() == [1.0, 0.75**2]  # (1 - 2)^2, (1 - 0.25)^2
    assert [one["grad"] for one in unet.asked] == [False, True]
    assert unet.learned.grad is not None
    assert unet.learned.grad.item() == 2 * (1 - 2) + 2 * 0.75


def test_parameters_of_full_precision_are_computed_in_half_where_that_is_asked() -> None:
    class Linear(Unet):
        def forward(self, x: Tensor, timesteps: Tensor, tokens: Tensor, **named: Any) -> tuple[Tensor]:
            made = x.flatten(1) @ torch.eye(256)
            self.asked.append({"dtype": made.dtype})
            return (made.view_as(x) + self.learned,)

    unet = Linear()
    made = Forward(unet, Texts(), OBJECTIVE, at_rest=nullcontext, half=torch.bfloat16)  # type: ignore[arg-type]

    assert made(batch()).dtype == torch.float32
    assert unet.asked == [{"dtype": torch.bfloat16}]
