"""SDXL's pair of encoders and its refiner's one, against diffusers and by hand."""

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from diffusers import StableDiffusionXLPipeline
from torch import Tensor, nn

from inference.conditioning.clip import Clip
from inference.conditioning.prompts import guides, timeline
from inference.conditioning.reading import Reading
from inference.conditioning.sdxl import SdxlEncoder, Sizes
from inference.prompt.attention import Emphasis
from inference.prompt.readers import OPEN_CLIP_PADDING
from inference.prompt.tokenizer import BOS, EOS, tokenize
from tests.inference.conditioning import encoders

SMALL, LARGE = 16, 24


@pytest.fixture(scope="module")
def small() -> nn.Module:
    return encoders.small(SMALL)


@pytest.fixture(scope="module")
def large() -> nn.Module:
    return encoders.large(LARGE)


def clip(module: nn.Module, padding: int = EOS) -> Clip:
    return Clip(module, 2, normed=False, padding=padding)


def pair(small: nn.Module, large: nn.Module, emphasis: Emphasis = "Original") -> SdxlEncoder:
    return SdxlEncoder(clip(large, OPEN_CLIP_PADDING), clip(small), Reading(emphasis), Sizes(96, 64))


def ids(prompt: str, padding: int) -> Tensor:
    (words,) = tokenize([prompt])
    return torch.tensor([[BOS, *words, EOS, *[padding] * (75 - len(words))]])


class PublishedTokenizer:
    """SDXL's tokenizers as diffusers calls them."""

    model_max_length = 77
    added_tokens_encoder: Mapping[str, int] = {}

    def __init__(self, padding: int) -> None:
        self.padding = padding

    def tokenize(self, prompt: str) -> list[str]:
        return prompt.split()

    def __call__(self, prompts: Sequence[str], **_asked: Any) -> SimpleNamespace:
        return SimpleNamespace(input_ids=torch.cat([ids(prompt, self.padding) for prompt in prompts]))


@torch.inference_mode()
def diffusers_says(small: nn.Module | None, large: nn.Module, prompt: str) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Tokens of the prompt and of no negative prompt; then the pooled ones."""
    tokenizer = PublishedTokenizer(EOS) if small else None
    pipeline: Any = StableDiffusionXLPipeline(
        vae=None, unet=None, scheduler=None,
        text_encoder=small, tokenizer=tokenizer, text_encoder_2=large, tokenizer_2=PublishedTokenizer(0),
    )  # fmt: skip
    said: tuple[Tensor, Tensor, Tensor, Tensor] = pipeline.encode_prompt(prompt, device=torch.device("cpu"))
    return said


@pytest.mark.parametrize("refiner", [False, True])
def test_a_plain_prompt_is_what_diffusers_says(small: nn.Module, large: nn.Module, refiner: bool) -> None:
    both = None if refiner else small
    encoder = SdxlEncoder(clip(large, OPEN_CLIP_PADDING), both and clip(both), Reading(), Sizes(96, 64))
    tokens, no_tokens, pooled, no_pooled = diffusers_says(both, large, "a cat in a hat")

    (said,) = encoder.encode(["a cat in a hat"])
    (nothing,) = encoder.encode([""], negative=True)

    assert said.tokens.shape == (1, 77, LARGE if refiner else SMALL + LARGE)
    torch.testing.assert_close((said.tokens, said.pooled), (tokens, pooled))
    assert torch.equal(nothing.tokens, no_tokens)
    assert nothing.pooled is not None
    assert torch.equal(nothing.pooled, no_pooled)


def test_the_text_as_a_whole_is_the_first_chunks_whatever_the_weights(small: nn.Module, large: nn.Module) -> None:
    encoder = pair(small, large)

    one, weighted, two, other = (
        encoder.encode([text])[0].pooled for text in ("a cat", "a (cat:1.5)", "a cat BREAK a dog", "a dog")
    )

    assert one is not None
    assert two is not None
    torch.testing.assert_close(one, weighted)
    torch.testing.assert_close(one, two)
    assert not torch.allclose(one, other)


def test_each_encoder_keeps_its_own_mean(small: nn.Module, large: nn.Module) -> None:
    plain, weighted = (pair(small, large).encode([text])[0].tokens[0] for text in ("a cat", "a (cat:1.5)"))
    factors = torch.ones(77, 1)
    factors[2] = 1.5

    for columns in (slice(0, SMALL), slice(SMALL, None)):
        was, scaled = plain[:, columns], plain[:, columns] * factors
        torch.testing.assert_close(weighted[:, columns], scaled * (was.mean() / scaled.mean()), rtol=1e-5, atol=1e-5)


def test_chunks_stand_in_a_row_for_both_encoders(small: nn.Module, large: nn.Module) -> None:
    encoder = pair(small, large)
    cat, dog, both = (encoder.encode([text])[0].tokens for text in ("a cat", "a dog", "a cat BREAK a dog"))

    torch.testing.assert_close(both, torch.cat([cat, dog], dim=1))


@pytest.mark.parametrize(("texts", "zero"), [(["", ""], True), (["", "a"], False), ([" "], False)])
def test_only_a_negative_prompt_that_is_always_empty_is_zeros(
    small: nn.Module, large: nn.Module, texts: list[str], zero: bool
) -> None:
    encoder = pair(small, large)

    for said in encoder.encode(texts, negative=True):
        assert said.pooled is not None
        assert (not said.tokens.any(), not said.pooled.any()) == (zero, zero)
    assert encoder.encode([""])[0].tokens.any()


def test_the_unet_is_told_the_sizes_and_the_refiner_a_score(small: nn.Module, large: nn.Module) -> None:
    (base,) = pair(small, large).encode(["a"])
    refiner = SdxlEncoder(clip(large), None, Reading(), Sizes(96, 64, aesthetic=True))

    assert base.sizes is not None
    assert base.sizes.tolist() == [[64, 96, 0, 0, 64, 96]]
    assert [refiner.encode(["a"], negative=one)[0].sizes.tolist() for one in (False, True)] == [  # type: ignore[union-attr]
        [[64, 96, 0, 0, 6.0]],
        [[64, 96, 0, 0, 2.5]],
    ]


def test_schedules_and_ands_change_the_whole_of_what_is_said(small: nn.Module, large: nn.Module) -> None:
    encoder = pair(small, large)
    cat, dog = (encoder.encode([text])[0].pooled for text in ("a cat", "a dog"))

    first, second = guides(encoder, "a [cat:dog:2] AND a dog", 4)
    empty = timeline(encoder, "", 4, negative=True)

    for call, expected in ((0, cat), (3, dog)):
        torch.testing.assert_close(first.timeline.at(call).pooled, expected)
    torch.testing.assert_close(second.timeline.at(0).pooled, dog)
    assert not empty.at(0).tokens.any()
